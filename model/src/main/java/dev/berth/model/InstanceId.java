package dev.berth.model;

/** The UUID of an instance; it outlives every VM and disk the instance has had. */
public record InstanceId(String value) {
    public InstanceId {
        if (value.isBlank()) {
            throw new IllegalArgumentException("InstanceId must not be blank");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
