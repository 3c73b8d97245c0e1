package dev.berth.model;

/**
 * A value that must never show (rule R8): its text form is masked, so that it cannot slip into a
 * log or an error.
 */
public record Secret(String reveal) {
    @Override
    public String toString() {
        return "<redacted>";
    }
}
