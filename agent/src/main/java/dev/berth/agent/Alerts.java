package dev.berth.agent;

import dev.berth.model.Clock;
import dev.berth.wire.Alert;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Tells the monitor of troubles of containers, daemon and disk, and of their end; the end of what
 * was never told is not told either. Thread-safe.
 */
final class Alerts {
    private final Bus bus;
    private final InstanceSpec spec;
    private final Clock clock;

    /** Troubles told and not resolved, with the severity told last. */
    private final Map<String, Integer> open = new HashMap<>();

    Alerts(Bus bus, InstanceSpec spec, Clock clock) {
        this.bus = bus;
        this.spec = spec;
        this.clock = clock;
    }

    synchronized void tell(Workload.Trouble trouble) {
        Integer told = open.get(trouble.key());
        if (trouble.resolved() ? told == null : told != null && told <= trouble.severity()) {
            return; // a trouble that goes on is told again only when it worsens
        }
        if (trouble.resolved()) {
            open.remove(trouble.key());
        } else {
            open.put(trouble.key(), trouble.severity());
        }
        String group = spec.get().string("name", "");
        String instance = group.isEmpty() ? "" : group + "/" + spec.get().string("id", "") + " - ";
        bus.tellMonitor(
                "alert",
                new Alert(
                                UUID.randomUUID().toString(),
                                trouble.severity(),
                                instance + trouble.title(),
                                trouble.summary(),
                                clock.now().getEpochSecond(),
                                trouble.key(),
                                spec.get().optionalString("deployment"),
                                trouble.resolved() ? "resolved" : "trouble")
                        .toTree());
    }

    /** An earlier life of the agent hung, and was killed; an event without an end. */
    synchronized void killed(String pid, String seconds) {
        String group = spec.get().string("name", "");
        String instance = group.isEmpty() ? "" : group + "/" + spec.get().string("id", "") + " - ";
        bus.tellMonitor(
                "alert",
                new Alert(
                                UUID.randomUUID().toString(),
                                4,
                                instance + "the agent hung and was started again",
                                "Agent "
                                        + pid
                                        + " showed no pulse for "
                                        + seconds
                                        + " s and was killed by the VM's first program; containers"
                                        + " ran on.",
                                clock.now().getEpochSecond(),
                                null,
                                spec.get().optionalString("deployment"),
                                Alert.AGENT_KILLED)
                        .toTree());
    }

    /** Follows the proof of a persistent disk. */
    void disk(String name, MountProof proof) {
        String key = name.isEmpty() ? "disk" : "disk " + name;
        String disk = name.isEmpty() ? "persistent disk" : "persistent disk '" + name + "'";
        switch (proof) {
            case MountProof.Unproven bad when bad.planned() -> {
                // soon over, one way or the other
            }
            case MountProof.Unproven bad ->
                    tell(new Workload.Trouble(key, 2, false, disk + " not proven", bad.reason()));
            case MountProof.Proven good ->
                    tell(
                            new Workload.Trouble(
                                    key,
                                    4,
                                    true,
                                    disk + " proven",
                                    "disk " + good.cid() + " is mounted and sound"));
            case MountProof.None none ->
                    tell(
                            new Workload.Trouble(
                                    key,
                                    4,
                                    true,
                                    disk + " removed",
                                    "no disk belongs here any more"));
        }
    }
}
