package dev.berth.model;

import java.util.Locale;

/** Names as DNS labels, which is also how their uniqueness is judged. */
public final class CanonicalName {
    private CanonicalName() {}

    /** Lower case, {@code _} as {@code -}, everything else that DNS does not know dropped. */
    public static String of(String name) {
        return name.toLowerCase(Locale.ROOT).replace('_', '-').replaceAll("[^a-z0-9-]", "");
    }
}
