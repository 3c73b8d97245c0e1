package dev.berth.model;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds what was probably meant by a name that is not known. */
final class Nearest {
    private Nearest() {}

    /** The known name closest to this one, if any is close enough to be a slip. */
    static Optional<String> of(String name, Collection<String> known) {
        int slip = Math.max(1, Math.min(3, name.length() / 3));
        String plain = plain(name);
        return known.stream()
                .filter(k -> distance(plain, plain(k)) <= slip)
                .min(
                        Comparator.comparingInt((String k) -> distance(plain, plain(k)))
                                .thenComparing(k -> k));
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replace('-', '_');
    }

    private static int distance(String a, String b) {
        if (Math.abs(a.length() - b.length()) > 3 || a.length() > 60) {
            return Integer.MAX_VALUE;
        }
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
