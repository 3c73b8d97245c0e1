package dev.berth.model;

/** The cloud's name of a snapshot of a disk; opaque to all but its CPI. */
public record SnapshotCid(String value) {
    public SnapshotCid {
        if (value.isBlank()) {
            throw new IllegalArgumentException("SnapshotCid must not be blank");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
