package dev.berth.simulation;

import dev.berth.cpi.CpiException;
import dev.berth.cpi.CpiException.Type;
import dev.berth.testkit.FakeAgents;
import dev.berth.testkit.FakeAgents.Fate;
import dev.berth.testkit.FakeCpi;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/** What the cloud and the bus do wrong, by chance. */
final class Faults {
    private static final Set<String> LOOKS =
            Set.of(
                    "has_vm",
                    "has_disk",
                    "get_disks",
                    "berth_vm_evidence",
                    "berth_inventory",
                    "info");

    private final Random random;
    private final Trace trace;
    private final Map<String, Integer> injected = new TreeMap<>();
    private double messages;
    private double cloud;
    private boolean cloudAway;
    private Duration cloudDelay = Duration.ZERO;
    private Consumer<FakeCpi.Call> own = call -> {};

    Faults(Random random, Trace trace) {
        this.random = random;
        this.trace = trace;
    }

    /** Chances for each message and for each call of the cloud. */
    void rates(double ofMessages, double ofCloud) {
        messages = ofMessages;
        cloud = ofCloud;
    }

    /** One fault for one purpose, such as a cloud that lies: throws what the caller is to hear. */
    void plant(Consumer<FakeCpi.Call> fault) {
        own = fault;
    }

    void none() {
        rates(0, 0);
        cloudBack();
    }

    /** Nobody reaches the cloud until {@link #cloudBack}; its VMs run on. */
    void cloudAway() {
        count("cloud unreachable");
        cloudAway = true;
    }

    /** Each call takes that much longer until {@link #cloudBack}. */
    void cloudSlow(Duration delay) {
        count("cloud slow");
        cloudDelay = delay;
    }

    void cloudBack() {
        cloudAway = false;
        cloudDelay = Duration.ZERO;
    }

    Duration cloudDelay() {
        return cloudDelay;
    }

    /** By kind. */
    Map<String, Integer> injected() {
        return injected;
    }

    void count(String kind) {
        injected.merge(kind, 1, Integer::sum);
    }

    static boolean isLook(FakeCpi.Call call) {
        return LOOKS.contains(call.method());
    }

    Fate fate(FakeAgents.Call call) {
        if (messages == 0 || random.nextDouble() >= messages) {
            return Fate.ARRIVES;
        }
        Fate fate =
                call.isLook()
                        ? Fate.REQUEST_LOST
                        : Fate.values()[1 + random.nextInt(Fate.values().length - 1)];
        count("message " + fate.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' '));
        trace.say("fault " + fate + " of " + call);
        return fate;
    }

    /** A call that fails and has done nothing, or of which nobody knows. */
    void before(FakeCpi.Call call) {
        own.accept(call);
        if (cloudAway) {
            count("call of an unreachable cloud");
            throw fault(
                    call,
                    isLook(call)
                            ? new CpiException(Type.CLOUD_ERROR, "the cloud cannot be reached")
                            : new CpiException(Type.UNKNOWN, "the cloud does not answer"));
        }
        if (cloud == 0 || random.nextDouble() >= cloud) {
            return;
        }
        boolean unknown = !isLook(call) && random.nextInt(3) == 0;
        if (unknown) {
            count("cloud outcome unknown, not done");
            throw fault(call, new CpiException(Type.UNKNOWN, "no answer, and nothing was done"));
        }
        count("cloud error");
        boolean creation = call.method().equals("create_vm");
        throw fault(
                call,
                creation
                        ? new CpiException(
                                Type.VM_CREATION_FAILED, "no capacity", random.nextBoolean(), null)
                        : new CpiException(Type.CLOUD_ERROR, "try again later"));
    }

    /** A call that happened and of which nobody learns. */
    void after(FakeCpi.Call call) {
        if (cloud == 0 || isLook(call) || random.nextDouble() >= cloud) {
            return;
        }
        count("cloud outcome unknown, done");
        throw fault(call, new CpiException(Type.UNKNOWN, "no answer, though it was done"));
    }

    private CpiException fault(FakeCpi.Call call, CpiException e) {
        trace.say("fault " + e.type() + " of " + call.method() + ": " + e.getMessage());
        return e;
    }
}
