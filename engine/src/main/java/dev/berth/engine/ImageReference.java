package dev.berth.engine;

/**
 * {@code name:tag} or {@code name@digest}, taken apart as the Engine API wants it.
 *
 * @param version tag or digest; {@code latest} when none is given
 */
record ImageReference(String name, String version) {
    static ImageReference parse(String text) {
        int at = text.indexOf('@');
        if (at > 0) {
            String name = text.substring(0, at);
            return new ImageReference(untagged(name), text.substring(at + 1));
        }
        int colon = tagColon(text);
        return colon < 0
                ? new ImageReference(text, "latest")
                : new ImageReference(text.substring(0, colon), text.substring(colon + 1));
    }

    /** In {@code name:tag@digest} the digest decides and the tag is decoration. */
    private static String untagged(String name) {
        int colon = tagColon(name);
        return colon < 0 ? name : name.substring(0, colon);
    }

    /** A colon before the last slash is a registry's port. */
    private static int tagColon(String text) {
        int colon = text.lastIndexOf(':');
        return colon > text.lastIndexOf('/') ? colon : -1;
    }
}
