package dev.berth.model;

/** Names one intent in the journal and, as the CPI request id, what that intent made (rule R4). */
public record IntentId(String value) {
    public IntentId {
        if (value.isBlank()) {
            throw new IllegalArgumentException("IntentId must not be blank");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
