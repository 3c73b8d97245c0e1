package dev.berth.model;

/** The cloud's name of an uploaded stemcell; opaque to all but its CPI. */
public record StemcellCid(String value) {
    public StemcellCid {
        if (value.isBlank()) {
            throw new IllegalArgumentException("StemcellCid must not be blank");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
