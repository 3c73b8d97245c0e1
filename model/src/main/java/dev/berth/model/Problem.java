package dev.berth.model;

import org.jspecify.annotations.Nullable;

/**
 * Expected trouble, as a value: what happened, where, and what to try next.
 *
 * @param code the BOSH error number clients match on; 100 when none fits
 * @param place path (and line) in the document, or ids involved; null when the message says it all
 * @param message what is wrong, in one sentence
 * @param remedy what to do about it; null when the message makes it plain
 */
public record Problem(int code, @Nullable String place, String message, @Nullable String remedy) {
    public static Problem at(String place, String message, String remedy) {
        return new Problem(100, place, message, remedy);
    }

    /** One line for people: {@code place: message (remedy)}. */
    public String text() {
        return (place == null ? "" : place + ": ")
                + message
                + (remedy == null ? "" : " (" + remedy + ")");
    }
}
