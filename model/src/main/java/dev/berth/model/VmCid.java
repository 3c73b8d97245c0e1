package dev.berth.model;

/** The cloud's name of a VM; opaque to all but its CPI. */
public record VmCid(String value) {
    public VmCid {
        if (value.isBlank()) {
            throw new IllegalArgumentException("VmCid must not be blank");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
