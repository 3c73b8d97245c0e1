package dev.berth.acceptance.fleet;

import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;

/** How the instances of the made-up fleet are called, by their number. */
public final class FleetNames {
    /** Instances in a deployment. */
    public static final int EACH = 100;

    private FleetNames() {}

    static String deployment(int number) {
        return "fleet-%04d".formatted(number / EACH);
    }

    static InstanceId instance(int number) {
        return new InstanceId("%08x-1111-4000-8000-000000000000".formatted(number));
    }

    /** The agent that it has before anything befalls it. */
    public static AgentId agent(int number) {
        return new AgentId("%08x-2222-4000-8000-000000000000".formatted(number));
    }

    static VmCid vm(int number) {
        return new VmCid("vm-%08x".formatted(number));
    }

    static String address(int number) {
        int host = number + 16;
        return "10.64." + host / 256 + "." + host % 256;
    }

    static String zone(int number) {
        return "z" + (number % 3 + 1);
    }
}
