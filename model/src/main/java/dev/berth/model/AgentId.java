package dev.berth.model;

/**
 * The UUID of one agent, and so of one VM: chosen by the director before the VM is created, never
 * reused.
 */
public record AgentId(String value) {
    public AgentId {
        if (value.isBlank()) {
            throw new IllegalArgumentException("AgentId must not be blank");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
