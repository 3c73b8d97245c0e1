package dev.berth.simulation;

import dev.berth.testkit.FakeCloud;
import dev.berth.testkit.FakeVm;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/**
 * What befalls many at once, or those between them: a zone that is cut off or dies, some VMs that
 * die together, a cloud that nobody reaches or that is slow, a slow network, a clock that is set.
 */
final class Disasters {
    private static final int KINDS = 7;
    private static final int LONGEST_SECONDS = 150;
    private static final int FARTHEST_SECONDS = 3_600;

    private final World world;
    private final Random random;
    private final Consumer<FakeVm> mayStop;
    private String cutZone = "";

    /**
     * @param mayStop told whose containers may stop for what happens
     */
    Disasters(World world, Consumer<FakeVm> mayStop) {
        this.world = world;
        this.random = world.random;
        this.mayStop = mayStop;
    }

    /** One of them, for a while or for good. */
    void strike() {
        switch (random.nextInt(KINDS)) {
            case 0 -> cutOffZone();
            case 1 -> loseZone();
            case 2 -> loseSome();
            case 3 -> loseCloud();
            case 4 -> slowCloud();
            case 5 -> slowNetwork();
            default -> setClock();
        }
        fewInACutZone();
    }

    private List<FakeVm> up() {
        return world.agents.vms().stream().filter(FakeVm::isUp).toList();
    }

    private static String zone(FakeCloud.Vm vm) {
        return String.valueOf(vm.cloudProperties().get("zone"));
    }

    private List<FakeVm> in(String zone) {
        return up().stream()
                .filter(vm ->
                        world.cloud.vm(vm.cid()).filter(v -> zone(v).equals(zone)).isPresent())
                .toList();
    }

    private String anyZone() {
        return random.nextBoolean() ? "z1" : "z2";
    }

    private Duration some() {
        return Duration.ofSeconds(1 + random.nextInt(LONGEST_SECONDS));
    }

    // --- zones and groups

    /** Nothing is to stop for it: nobody of the zone is heard, and the cloud has its VMs. */
    private void cutOffZone() {
        if (!cutZone.isEmpty()) {
            return;
        }
        String zone = anyZone();
        boolean noticed = random.nextBoolean();
        world.faults.count("zone cut off");
        world.trace.say("fault zone " + zone + " cut off" + (noticed ? ", noticed" : ""));
        cutZone = zone;
        world.agents.cutOff(vm -> zone(vm).equals(zone), noticed);
        world.clock.in(some(), this::rejoin);
    }

    private void rejoin() {
        if (!cutZone.isEmpty()) {
            world.trace.say("zone " + cutZone + " is back");
            fewInACutZone();
            cutZone = "";
            world.agents.rejoin();
        }
    }

    /** Of one agent alone nobody can tell whether it is silent or its zone. */
    void fewInACutZone() {
        if (!cutZone.isEmpty()) {
            List<FakeVm> there = in(cutZone);
            if (there.size() < 2) {
                there.forEach(mayStop);
            }
        }
    }

    private void loseZone() {
        String zone = anyZone();
        world.faults.count("zone lost");
        world.trace.say("fault zone " + zone + " lost");
        in(zone).forEach(this::lose);
    }

    private void loseSome() {
        var all = new ArrayList<>(up());
        Collections.shuffle(all, random);
        int count = Math.min(all.size(), 2 + random.nextInt(4));
        world.faults.count("some VMs lost together");
        world.trace.say("fault " + count + " VMs lost together");
        all.subList(0, count).forEach(this::lose);
    }

    private void lose(FakeVm vm) {
        mayStop.accept(vm);
        world.cloud.loseVm(vm.cid());
    }

    // --- what is between

    private void loseCloud() {
        world.trace.say("fault the cloud cannot be reached");
        world.faults.cloudAway();
        world.clock.in(some(), world.faults::cloudBack);
    }

    private void slowCloud() {
        Duration delay = Duration.ofMillis(random.nextInt(30_000));
        world.trace.say("fault the cloud is slow by " + delay);
        world.faults.cloudSlow(delay);
        world.clock.in(some(), world.faults::cloudBack);
    }

    private void slowNetwork() {
        Duration each = Duration.ofMillis(random.nextInt(800));
        world.faults.count("network slow");
        world.trace.say("fault each message takes " + each);
        world.agents.slow(each);
        world.clock.in(some(), world.agents::asFastAsEver);
    }

    /** By seconds or by up to an hour, to and fro. */
    private void setClock() {
        int most = random.nextBoolean() ? 60 : FARTHEST_SECONDS;
        world.faults.count("clock set");
        world.setClock(Duration.ofSeconds(random.nextInt(2 * most + 1) - most));
    }
}
