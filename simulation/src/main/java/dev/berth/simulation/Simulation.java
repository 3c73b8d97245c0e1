package dev.berth.simulation;

import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import dev.berth.testkit.FakeVm;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One life of an environment, made of its seed: episodes in which an operator changes something
 * while things fail, each followed by quiet, in which everything must come right and is checked.
 */
public final class Simulation {
    /** As operators are told: so many silent ones at least are a cut and no death. */
    static final int FEWEST_CUT = 3;

    private static final int EPISODES = 4;
    private static final Duration TASK = Duration.ofHours(4);
    private static final int MOST_ROUNDS = 8;
    private static final Map<String, Object> FIX = Json.of("fix", true);

    /**
     * What a run did.
     *
     * @param digest equal for equal histories
     * @param broken null: no rule was broken
     * @param last the end of the trace, for the person who looks into it
     */
    public record Result(
            long seed,
            long digest,
            long virtualSeconds,
            Map<String, Integer> faults,
            Map<String, Long> checks,
            long writes,
            @Nullable String broken,
            List<String> last) {
        /** The one line that shows it again. */
        public String replay() {
            return "./berth sim --seed " + seed;
        }
    }

    private final World world;
    private final Random random;
    private final Map<String, Wish> wishes = new LinkedHashMap<>();
    private final Disasters disasters;
    private boolean busLost;

    /** Apart from the other, so that a history without pools is the same as before there were. */
    private final Random ofPools;

    private final boolean withPools;

    private Simulation(World world, long seed) {
        this.world = world;
        this.random = world.random;
        this.disasters = new Disasters(world, this::mayStop);
        this.ofPools = new Random(seed ^ 0x9e3779b97f4a7c15L);
        this.withPools = ofPools.nextInt(5) < 2;
    }

    /** Runs it on the caller's thread, in virtual time. */
    public static Result run(long seed, boolean aloud) {
        try (var world = new World(seed, new World.Settings(aloud, false, true))) {
            var simulation = new Simulation(world, seed);
            return result(seed, world, simulation::live);
        }
    }

    static Result result(long seed, World world, Runnable life) {
        String broken = null;
        try {
            life.run();
        } catch (Broken e) {
            broken = e.getMessage();
        } catch (RuntimeException e) {
            var trace = new java.io.StringWriter();
            e.printStackTrace(new java.io.PrintWriter(trace));
            broken = "the run ended with " + trace;
        }
        return new Result(
                seed,
                world.trace.digest(),
                Duration.between(java.time.Instant.parse("2026-01-01T00:00:00Z"), world.clock.now())
                        .toSeconds(),
                new TreeMap<>(world.faults.injected()),
                new TreeMap<>(world.rules.checks()),
                world.trace.writes(),
                broken,
                world.trace.last());
    }

    private void live() {
        if (random.nextInt(2) == 0) {
            world.cloud.beCareless();
        }
        switch (random.nextInt(3)) {
            case 0 -> world.cloud.growOnlyDetachedDisks();
            case 1 -> world.cloud.growNoDisks(); // they go by copy
            default -> {}
        }
        world.plantSecret("one");
        world.plantSecret("two");
        if (ofPools.nextInt(8) == 0) {
            world.cloud.keepAddresses();
        }
        changePools();
        wishes.put("one", Wishes.random(random, "one"));
        episode(wishes.get("one"));
        for (int i = 1; i < EPISODES; i++) {
            if (wishes.size() == 1 && random.nextInt(3) == 0) {
                String other = wishes.containsKey("one") ? "two" : "one";
                wishes.put(other, Wishes.random(random, other));
                episode(wishes.get(other));
            } else {
                change();
            }
            if (random.nextInt(6) == 0) {
                loseStore();
            }
            changePools();
        }
        orphansAge();
    }

    /** An operator wants other pools, at any time; what is deployed has nothing to do with it. */
    private void changePools() {
        if (withPools) {
            Duration when = Duration.ofMillis(ofPools.nextInt(60_000));
            List<Pools.Pool> next = Pools.random(ofPools);
            world.clock.in(when, () -> world.rules.pools.wish(next));
        }
    }

    // --- an episode

    private void change() {
        List<String> names = List.copyOf(wishes.keySet());
        Wish was =
                java.util.Objects.requireNonNull(
                        wishes.get(names.get(random.nextInt(names.size()))));
        int kind = random.nextInt(11);
        if (kind < 5) {
            Wish next = Wishes.changed(random, was, world.rules);
            wishes.put(next.name(), next);
            episode(next);
        } else if (kind < 8) {
            trouble();
            changeState(was);
            rest();
        } else if (kind == 8) {
            episode(was); // the same again: whatever fails meanwhile, nothing may stop but for that
        } else if (kind == 9) {
            ignore(was);
            rest();
        } else {
            trouble();
            delete(was);
            rest();
        }
    }

    /** A person wants one instance left alone, and then it fails: that is for the person to see. */
    private void ignore(Wish wish) {
        List<Rows.Instance> instances = world.database.read(s -> s.instances(wish.name()));
        Rows.Instance one = instances.get(random.nextInt(instances.size()));
        world.trace.say("== ignore " + one.group() + "/" + one.id());
        world.ignore(one.id(), true);
        world.rules.ignored(one.id());
        int kind = random.nextInt(9);
        world.database.read(s -> s.vms(one.id())).stream()
                .flatMap(row -> world.agents.vm(row.agent()).stream())
                .filter(FakeVm::isUp)
                .forEach(vm -> hurt(vm, kind));
        world.pass(Duration.ofSeconds(200));
        follow(world.ask("update_deployment", wish.name(), world.deployPayload(wish, FIX)));
        world.trace.say("== unignore " + one.group() + "/" + one.id());
        world.rules.regarded(one.id());
        world.ignore(one.id(), false);
    }

    /** Days pass for what nobody needs any more: it goes when its time is over, and not before. */
    private void orphansAge() {
        calm();
        List<DiskCid> over = world.orphansAge();
        if (!world.await(
                () -> over.stream().allMatch(d -> world.cloud.disk(d).isEmpty()),
                Duration.ofHours(3))) {
            throw new Broken("R3: orphaned disks of more than five days are still there: " + over);
        }
        world.pass(Duration.ofMinutes(1));
        poolsFill();
        world.rules.atRest(List.copyOf(wishes.values()));
    }

    /** What runs is all that is left; nothing may stop, and nothing may be left to do. */
    private void loseStore() {
        boolean tellable =
                wishes.keySet().stream()
                        .allMatch(name ->
                                world.database.read(s -> s.vmsOf(name)).stream()
                                        .anyMatch(vm -> world.agents.reachable(vm.agent())));
        if (!tellable) {
            return; // a deployment without a VM has nobody to tell of it
        }
        calm();
        world.loseStore();
        if (withPools) {
            world.rules.pools.wishAgain();
        }
        for (String name : List.of("one", "two")) {
            if (!wishes.containsKey(name)) {
                world.plantSecret(name); // of what is not deployed no agent knows
            }
        }
        world.pass(Duration.ofSeconds(150));
        poolsFill();
        sameAgain();
        world.rules.atRest(List.copyOf(wishes.values()));
    }

    private void episode(Wish wish) {
        trouble();
        boolean recreate = random.nextInt(12) == 0;
        if (recreate) {
            world.rules.mayStop(wish.name());
        }
        world.trace.say(
                "== deploy " + wish.name() + (recreate ? " --recreate " : " ") + wish.groups());
        Map<String, Object> options = recreate ? Json.of("recreate", true) : Json.of();
        Long task = world.ask("update_deployment", wish.name(), world.deployPayload(wish, options));
        follow(task);
        rest();
    }

    private void changeState(Wish wish) {
        List<Rows.Instance> instances = world.database.read(s -> s.instances(wish.name()));
        if (instances.isEmpty()) {
            return;
        }
        Rows.Instance one = instances.get(random.nextInt(instances.size()));
        String state =
                List.of("stopped", "started", "restart", "recreate", "detached")
                        .get(random.nextInt(5));
        boolean whole = random.nextInt(4) == 0;
        if (whole) {
            world.rules.mayStopGroup(wish.name(), one.group());
        } else {
            world.rules.mayStop(one.id().value());
        }
        world.trace.say("== " + state + " " + one.group() + (whole ? "" : "/" + one.id().value()));
        Map<String, Object> payload = world.deployPayload(wish, Json.of());
        payload.put(
                "state_change",
                Json.of(
                        "state",
                        state,
                        "group",
                        one.group(),
                        "instance",
                        whole ? null : one.id().value()));
        follow(world.ask("update_deployment", wish.name(), payload));
    }

    private void delete(Wish wish) {
        world.rules.mayStop(wish.name());
        world.trace.say("== delete " + wish.name());
        wishes.remove(wish.name());
        boolean there = world.database.read(s -> s.deployment(wish.name())).isPresent();
        if (there) {
            follow(world.ask("delete_deployment", wish.name(), deletion(wish.name())));
            deleteSurely(wish.name());
        }
        if (wishes.isEmpty()) {
            wishes.put(wish.name(), wish);
        }
    }

    private static Map<String, Object> deletion(String deployment) {
        return Json.of("deployment", deployment, "options", Json.of("force", false));
    }

    private void deleteSurely(String deployment) {
        calm();
        for (int round = 0; round < MOST_ROUNDS; round++) {
            boolean over = world.unfinished().isEmpty();
            boolean there = world.database.read(s -> s.deployment(deployment)).isPresent();
            if (!there) {
                return;
            }
            if (over) {
                follow(world.ask("delete_deployment", deployment, deletion(deployment)));
            } else {
                world.pass(Duration.ofMinutes(1));
            }
        }
        throw new Broken("deployment " + deployment + " cannot be deleted");
    }

    /** Waits for the end of a task, if the request came through, and of all others. */
    private void follow(@Nullable Long task) {
        boolean over = world.await(() -> world.unfinished().isEmpty(), TASK);
        if (task != null) {
            Rows.Task row = world.task(task);
            world.trace.say("task " + task + " " + row.state() + ": " + row.result());
        }
        if (!over) {
            throw new Broken("tasks do not end: " + world.unfinished());
        }
        world.rules.throwIfBroken();
    }

    // --- what fails

    private void trouble() {
        boolean messages = random.nextInt(2) == 0;
        boolean cloud = random.nextInt(2) == 0;
        world.faults.rates(
                messages ? random.nextDouble() * 0.1 : 0, cloud ? random.nextDouble() * 0.12 : 0);
        world.crashes.chance(random.nextInt(2) == 0 ? random.nextDouble() * 0.02 : 0);
        int count = random.nextInt(3);
        for (int i = 0; i < count; i++) {
            Duration when = Duration.ofMillis(random.nextInt(60_000));
            int kind = random.nextInt(16);
            world.clock.in(when, kind < 12 ? () -> hurt(kind) : disasters::strike);
        }
    }

    private void hurt(int kind) {
        List<FakeVm> vms = world.agents.vms().stream().filter(FakeVm::isUp).toList();
        if (vms.isEmpty()) {
            return;
        }
        FakeVm vm = vms.get(random.nextInt(vms.size()));
        if (kind == 9) {
            loseAll(vm.deployment());
        } else if (kind > 9) {
            loseBus();
        } else {
            hurt(vm, kind);
        }
        fewOnALostBus();
        disasters.fewInACutZone();
    }

    private void hurt(FakeVm vm, int kind) {
        if (random.nextInt(8) == 0) {
            world.faults.count("VM outlives its deletion");
            world.cloud.keepAlive(vm.cid());
            Duration end = Duration.ofSeconds(1 + random.nextInt(200));
            world.clock.in(end, world.cloud::beHonest);
        }
        String name = kind < 4 ? "VM lost" : kind < 6 ? "VM switched off" : "agent silent";
        world.faults.count(name);
        world.trace.say("fault " + name + ": " + vm);
        mayStop(vm);
        if (kind < 4) {
            world.cloud.loseVm(vm.cid());
        } else if (kind < 6) {
            world.cloud.stopVm(vm.cid());
        } else {
            world.agents.mute(vm.agent(), kind < 8);
            Duration end = Duration.ofSeconds(1 + random.nextInt(150));
            world.clock.in(end, () -> world.agents.unmute(vm.agent()));
        }
    }

    private void loseAll(String deployment) {
        List<FakeVm> all =
                world.agents.vms().stream()
                        .filter(v -> v.isUp() && v.deployment().equals(deployment))
                        .toList();
        world.faults.count("all VMs of a deployment lost");
        world.trace.say("fault all VMs of " + deployment + " lost: " + all.size());
        // Those that a person stopped need no repair and make no meltdown.
        long needed = all.stream().filter(vm -> !vm.running().isEmpty()).count();
        all.forEach(vm -> {
            mayStop(vm);
            world.cloud.loseVm(vm.cid());
        });
        // On a lost bus nobody sees connections end: the judge learns of each as it asks the cloud.
        if (needed >= 5 && !busLost) {
            world.rules.massFailure(deployment);
        }
    }

    /** Nothing is to stop for it: silence of all proves nothing. */
    private void loseBus() {
        boolean noticed = random.nextBoolean();
        world.faults.count("bus lost");
        world.trace.say("fault bus lost" + (noticed ? ", noticed" : ""));
        busLost = true;
        world.agents.loseBus(noticed);
        Duration end = Duration.ofSeconds(1 + random.nextInt(150));
        world.clock.in(end, this::bringBusBack);
    }

    private void bringBusBack() {
        if (busLost) {
            world.trace.say("the bus is back");
            fewOnALostBus();
            busLost = false;
            world.agents.bringBusBack();
        }
    }

    /** Of one or two agents nobody can tell whether they are silent or the bus. */
    private void fewOnALostBus() {
        List<FakeVm> up =
                world.agents.vms().stream()
                        .filter(vm -> vm.isUp() && !vm.instance().isEmpty())
                        .toList();
        if (busLost && up.size() < FEWEST_CUT) {
            up.forEach(this::mayStop);
        }
    }

    private void mayStop(FakeVm vm) {
        if (!vm.instance().isEmpty()) {
            world.rules.mayStop(vm.instance());
        }
    }

    private void calm() {
        world.faults.none();
        world.crashes.chance(0);
    }

    // --- quiet

    /** Faults end; the system must come right with no more than the same deploy again. */
    private void rest() {
        world.pass(Duration.ofSeconds(random.nextInt(90)));
        calm();
        world.trace.say("-- faults end");
        world.pass(Duration.ofSeconds(300));
        for (int round = 0; ; round++) {
            if (round == MOST_ROUNDS) {
                throw new Broken("no rest after " + round + " deploys: " + world.agents);
            }
            if (settled()) {
                break;
            }
        }
        world.pass(Duration.ofSeconds(120));
        poolsFill();
        sameAgain();
        world.rules.atRest(List.copyOf(wishes.values()));
        world.rules.expectNoStops();
    }

    /** Whatever came over them: they wait for five minutes at most before they try again. */
    private void poolsFill() {
        if (!world.await(world.rules.alerts::strangersAreOver, Duration.ofMinutes(10))) {
            throw new Broken("alerts: what was said of strangers does not end");
        }
        if (!world.await(world.rules.pools::areFull, Duration.ofMinutes(20))) {
            throw new Broken("pool: they do not fill: " + world.database.read(s -> s.spares()));
        }
        world.pass(Duration.ofSeconds(60));
    }

    private boolean settled() {
        boolean good = true;
        for (Wish wish : List.copyOf(wishes.values())) {
            good &= deployed(wish);
        }
        return good;
    }

    /** True when the deploy went well. */
    private boolean deployed(Wish wish) {
        Map<String, Object> payload = world.deployPayload(wish, FIX);
        Long task = world.ask("update_deployment", wish.name(), payload);
        follow(task);
        return task != null && world.task(task).state().equals("done");
    }

    /** R5: what is as it should be is not touched. */
    private void sameAgain() {
        for (Wish wish : wishes.values()) {
            long before = world.rules.mutations();
            if (!deployed(wish)) {
                throw new Broken("R5: the same manifest again does not deploy");
            }
            long did = world.rules.mutations() - before;
            world.rules.untouched(wish.name(), did);
        }
    }
}
