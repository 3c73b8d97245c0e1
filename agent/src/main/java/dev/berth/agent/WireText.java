package dev.berth.agent;

/** How much of a text a message has room for. */
final class WireText {
    private WireText() {}

    /** Bytes it takes inside of JSON, not fewer than it really takes. */
    static int bytes(String text) {
        int bytes = 0;
        for (int i = 0; i < text.length(); i++) {
            bytes += bytes(text.charAt(i));
        }
        return bytes;
    }

    private static int bytes(char c) {
        if (c < 0x20) {
            return c == '\n' || c == '\t' || c == '\r' ? 2 : 6;
        }
        return c >= 0x80 ? 3 : c == '"' || c == '\\' ? 2 : 1;
    }

    /** The beginning of the text that fits. */
    static String first(String text, int most) {
        int left = most;
        for (int i = 0; i < text.length(); i++) {
            left -= bytes(text.charAt(i));
            if (left < 0) {
                return text.substring(0, i);
            }
        }
        return text;
    }

    /** The end of the text that fits. */
    static String last(String text, int most) {
        int left = most;
        for (int i = text.length() - 1; i >= 0; i--) {
            left -= bytes(text.charAt(i));
            if (left < 0) {
                return text.substring(i + 1);
            }
        }
        return text;
    }
}
