package dev.berth.director;

import dev.berth.model.Digests;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What an image is for.
 *
 * @param variant such as {@code v7}; null: any
 */
record Platform(String os, String architecture, @Nullable String variant) {
    /** That of this host, in the words of image registries. */
    static Platform ofHost() {
        String java = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        String architecture =
                switch (java) {
                    case "amd64", "x86_64" -> "amd64";
                    case "aarch64" -> "arm64";
                    default -> java;
                };
        return new Platform("linux", architecture, null);
    }

    /**
     * @param text {@code os/arch[/variant]}, or an architecture alone; null: this host's
     */
    static Platform of(@Nullable String text) {
        if (text == null) {
            return ofHost();
        }
        String[] part = text.split("/");
        if (part.length == 1) {
            boolean os = part[0].equals("linux") || part[0].equals("windows");
            return new Platform(
                    os ? part[0] : "linux", os ? ofHost().architecture() : part[0], null);
        }
        return new Platform(part[0], part[1], part.length > 2 ? part[2] : null);
    }

    /**
     * The digest of this platform's manifest, given what a reference leads to: that manifest
     * itself, or a list of one for each platform.
     *
     * @throws IOException when the list has none
     */
    String digestIn(byte[] raw) throws IOException {
        List<Fields> all;
        try {
            all = Fields.of(Json.parse(raw), "manifest").objects("manifests");
        } catch (IllegalArgumentException e) {
            throw new IOException("answered no manifest: " + e.getMessage(), e);
        }
        if (all.isEmpty()) {
            return "sha256:" + Digests.sha256(raw);
        }
        return all.stream()
                .filter(this::fits)
                .findFirst()
                .map(m -> m.string("digest"))
                .orElseThrow(() ->
                        new IOException(
                                "has the image for "
                                        + String.join(
                                                ", ", all.stream().map(Platform::text).toList())
                                        + " only, not for "
                                        + this));
    }

    private boolean fits(Fields manifest) {
        Fields platform = manifest.object("platform");
        return platform.string("os", "").equals(os)
                && platform.string("architecture", "").equals(architecture)
                && (variant == null || platform.string("variant", usualVariant()).equals(variant));
    }

    /** Of 64-bit ARM there is one, which many lists leave out. */
    private String usualVariant() {
        return architecture.equals("arm64") ? "v8" : "";
    }

    private static String text(Fields manifest) {
        Fields platform = manifest.object("platform");
        String variant = platform.string("variant", "");
        return new Platform(
                        platform.string("os", "?"),
                        platform.string("architecture", "?"),
                        variant.isEmpty() ? null : variant)
                .toString();
    }

    @Override
    public String toString() {
        return os + "/" + architecture + (variant == null ? "" : "/" + variant);
    }
}
