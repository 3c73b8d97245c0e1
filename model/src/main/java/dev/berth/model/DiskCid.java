package dev.berth.model;

/** The cloud's name of a persistent disk; opaque to all but its CPI. */
public record DiskCid(String value) {
    public DiskCid {
        if (value.isBlank()) {
            throw new IllegalArgumentException("DiskCid must not be blank");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
