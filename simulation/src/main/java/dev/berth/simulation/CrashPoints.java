package dev.berth.simulation;

import dev.berth.model.Json;
import dev.berth.simulation.Wish.Container;
import dev.berth.simulation.Wish.Group;
import dev.berth.store.Rows;
import dev.berth.testkit.FakeVm;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Kills the director at each moment of one change in turn: before and after each write of its
 * store, each call of the cloud and each call of an agent. Each time its successor must bring the
 * change to its end by itself.
 */
public final class CrashPoints {
    private static final long SEED = 1;
    private static final Duration LIMIT = Duration.ofHours(1);
    static final Wish BASE =
            new Wish(
                    "one",
                    "1",
                    "a",
                    List.of(
                            new Group(
                                    "db",
                                    2,
                                    List.of("z1"),
                                    "small",
                                    1024,
                                    1,
                                    List.of(
                                            new Container("store", 1, true, List.of()),
                                            new Container("writer", 1, false, List.of("store")))),
                            new Group(
                                    "web",
                                    1,
                                    List.of("z1"),
                                    "small",
                                    0,
                                    1,
                                    List.of(new Container("front", 1, false, List.of())))));

    /**
     * One change.
     *
     * @param after what is wished when it is done; null: no deployment
     * @param takenBack whether its task has to end with an error and everything as before
     */
    public record Change(
            String name,
            @Nullable Wish before,
            @Nullable Wish after,
            Consumer<Act> act,
            Predicate<Act> isOver,
            boolean takenBack) {
        Change(
                String name,
                @Nullable Wish before,
                @Nullable Wish after,
                Consumer<Act> act,
                Predicate<Act> isOver) {
            this(name, before, after, act, isOver, false);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** What a change does to its world. */
    static final class Act {
        final World world;
        private final @Nullable Wish after;

        Act(World world, @Nullable Wish after) {
            this.world = world;
            this.after = after;
        }

        /** Asks until the director has taken it; how often it was taken does not matter. */
        void task(String type, Map<String, Object> payload) {
            while (true) {
                int before = tasks();
                if (world.ask(type, "one", payload) != null || tasks() > before) {
                    return;
                }
            }
        }

        private int tasks() {
            return world.database.read(s -> s.tasks(null, null, null, 1000)).size();
        }

        void deploy(Wish wish) {
            task("update_deployment", world.deployPayload(wish, Json.of()));
        }

        void state(Wish wish, String state) {
            String instance = first("db").id().value();
            world.rules.mayStop(instance);
            Map<String, Object> payload = world.deployPayload(wish, Json.of());
            payload.put(
                    "state_change", Json.of("state", state, "group", "db", "instance", instance));
            task("update_deployment", payload);
        }

        /** A pool of that size, full. */
        void pool(int size) {
            world.rules.pools.wish(List.of(new Pools.Pool("small", "1", size)));
            await(world, world.rules.pools::areFull, "filling the pool");
        }

        Rows.Instance first(String group) {
            return world.database.read(s -> s.instances("one")).stream()
                    .filter(i -> i.group().equals(group))
                    .findFirst()
                    .orElseThrow();
        }

        FakeVm vm(String group) {
            var instance = first(group).id();
            var row = world.database.read(s -> s.vms(instance)).getFirst();
            world.rules.mayStop(instance.value());
            return world.agents.vm(row.agent()).orElseThrow();
        }

        /** All tasks have ended, and all of them well. */
        boolean tasksEnded() {
            return world.unfinished().isEmpty();
        }

        /** Nobody asked for anything: the watch has to see it. */
        boolean isHealed() {
            return world.unfinished().isEmpty()
                    && world.database.read(s ->
                            s.instances("one").stream()
                                    .allMatch(i ->
                                            s.vms(i.id()).stream()
                                                    .anyMatch(v ->
                                                            world.agents
                                                                    .vm(v.agent())
                                                                    .filter(this::runsAll)
                                                                    .isPresent())));
        }

        private boolean runsAll(FakeVm vm) {
            Wish wish = after;
            Group group = wish == null ? null : wish.byName().get(vm.group());
            return group != null
                    && world.agents.reachable(vm.agent())
                    && vm.running().size() == group.containers().size();
        }
    }

    private CrashPoints() {}

    /** The main changes of a deployment. */
    public static List<Change> changes() {
        Group db = BASE.groups().get(0);
        Wish container =
                BASE.with(
                        db.containers(
                                List.of(db.containers().get(0).next(), db.containers().get(1))));
        Wish web = BASE.groups(List.of(db));
        var changes = new ArrayList<Change>();
        changes.add(deploy("first deploy", null, BASE, ""));
        changes.add(deploy("container changed", BASE, container, "one/db"));
        changes.add(deploy("disk grown", BASE, BASE.with(db.diskMb(2048)), "nothing"));
        changes.add(
                new Change(
                        "disk grown while detached",
                        BASE,
                        BASE.with(db.diskMb(2048)),
                        act -> {
                            act.world.cloud.growOnlyDetachedDisks();
                            act.world.rules.mayStop("one/db");
                            act.deploy(BASE.with(db.diskMb(2048)));
                        },
                        Act::tasksEnded));
        changes.addAll(DiskChanges.all(BASE));
        Wish diskOfWeb = BASE.with(BASE.groups().get(1).diskMb(512));
        changes.add(deploy("disk given up", diskOfWeb, BASE, "one/web"));
        changes.add(deploy("vm type changed", BASE, BASE.with(db.vmType("large")), "one/db"));
        changes.add(deploy("scaled up", BASE, BASE.with(db.instances(3)), "nothing"));
        changes.add(deploy("scaled down", BASE, BASE.with(db.instances(1)), "nothing"));
        changes.add(deploy("group removed", BASE, web, "nothing"));
        changes.add(deploy("stemcell changed", BASE, BASE.stemcell("2"), "one"));
        changes.add(takenBack(BASE, db));
        changes.add(state("stopped"));
        changes.add(state("detached"));
        changes.add(state("restart"));
        changes.add(state("recreate"));
        changes.add(
                new Change(
                        "deployment deleted",
                        BASE,
                        null,
                        act -> {
                            act.world.rules.mayStop("one");
                            act.task(
                                    "delete_deployment",
                                    Json.of("deployment", "one", "options", Json.of()));
                        },
                        Act::tasksEnded));
        changes.add(healed("VM lost, repaired", act -> act.world.cloud.loseVm(act.vm("db").cid())));
        changes.add(
                healed(
                        "VM switched off, repaired",
                        act -> act.world.cloud.stopVm(act.vm("db").cid())));
        changes.add(
                healed(
                        "agent silent, repaired",
                        act -> act.world.agents.mute(act.vm("db").agent(), true)));
        changes.add(
                new Change(
                        "VM lost, a spare one taken",
                        BASE,
                        BASE,
                        act -> {
                            act.pool(1);
                            act.world.cloud.loseVm(act.vm("db").cid());
                        },
                        act -> act.isHealed() && act.world.rules.pools.areFull()));
        changes.add(
                new Change(
                        "first deploy, on spare VMs",
                        null,
                        BASE,
                        act -> {
                            act.pool(2);
                            act.deploy(BASE);
                        },
                        act -> act.tasksEnded() && act.world.rules.pools.areFull()));
        changes.add(
                new Change(
                        "pool given up",
                        BASE,
                        BASE,
                        act -> {
                            act.pool(2);
                            act.world.rules.pools.wish(List.of());
                        },
                        act -> act.world.rules.pools.areFull()));
        return changes;
    }

    static Change deploy(String name, @Nullable Wish before, Wish after, String mayStop) {
        return new Change(
                name,
                before,
                after,
                act -> {
                    act.world.rules.mayStop(mayStop);
                    act.deploy(after);
                },
                Act::tasksEnded);
    }

    /** The first of two instances never gets well, and runs what it ran before in the end. */
    private static Change takenBack(Wish before, Group db) {
        Group broken =
                db.containers(List.of(db.containers().get(0).broken(), db.containers().get(1)));
        return new Change(
                "container changed, taken back",
                before,
                before,
                act -> {
                    act.world.rules.mayStop("one/db");
                    act.deploy(before.with(broken));
                },
                Act::tasksEnded,
                true);
    }

    private static Change state(String state) {
        return new Change(
                "instance: " + state, BASE, BASE, act -> act.state(BASE, state), Act::tasksEnded);
    }

    private static Change healed(String name, Consumer<Act> hurt) {
        return new Change(name, BASE, BASE, hurt, Act::isHealed);
    }

    /**
     * What killing at every moment of one change came to.
     *
     * @param moments how many there were
     * @param broken where it was killed, and what was broken then
     */
    public record Outcome(String change, long moments, int runs, List<String> broken) {}

    /** Kills once at each moment; with {@code twice} also the successor, a few moments later. */
    public static Outcome killAtEach(Change change, boolean twice) {
        return killAtEvery(1, change, twice);
    }

    /** The same at every so-manieth moment: a change that waits long has very many alike. */
    static Outcome killAtEvery(int step, Change change, boolean twice) {
        var broken = new ArrayList<String>();
        int runs = 0;
        long moment = 1;
        for (; ; moment += step) {
            int died = kill(change, moment, 0, broken);
            if (died == 0) {
                break;
            }
            runs++;
            if (twice) {
                kill(change, moment, 1 + (moment * 7) % 23, broken);
                runs++;
            }
        }
        return new Outcome(change.name(), moment - 1, runs, broken);
    }

    /** Returns how often the director died. */
    private static int kill(Change change, long moment, long later, List<String> broken) {
        try (var world = new World(SEED, World.Settings.USUAL)) {
            Simulation.Result result =
                    Simulation.result(SEED, world, () -> live(change, world, moment, later));
            if (result.broken() != null) {
                broken.add(
                        "killed at moment "
                                + moment
                                + (later == 0 ? "" : " and " + later + " later")
                                + ", last "
                                + world.crashes.last()
                                + ": "
                                + result.broken());
                if (broken.size() == 1) {
                    broken.addAll(
                            result.last()
                                    .subList(
                                            Math.max(0, result.last().size() - 60),
                                            result.last().size()));
                }
            }
            return world.crashes.done();
        }
    }

    private static void live(Change change, World world, long moment, long later) {
        world.plantSecret("one");
        var act = new Act(world, change.after());
        Wish before = change.before();
        if (before != null) {
            act.deploy(before);
            await(world, act::tasksEnded, "the deploy before");
            world.rules.atRest(List.of(before));
        }
        world.rules.expectNoStops();
        world.crashes.at(moment, later);
        change.act().accept(act);
        await(world, () -> change.isOver().test(act), change.name());
        failedTasks(world, change);
        world.crashes.at(0);
        world.pass(Duration.ofMinutes(4));
        Wish after = change.after();
        List<Wish> wishes = after == null ? List.of() : List.of(after);
        world.rules.atRest(wishes);
        if (after != null) {
            long did = world.rules.mutations();
            act.deploy(after);
            await(world, act::tasksEnded, "the same again");
            world.rules.untouched("one", world.rules.mutations() - did);
            world.rules.atRest(wishes);
        }
    }

    private static void await(World world, java.util.function.BooleanSupplier over, String what) {
        if (!world.await(over, LIMIT)) {
            throw new Broken(what + " does not end: " + world.unfinished() + " " + world.agents);
        }
    }

    /** Only the director died, so no task has a reason to fail. */
    private static void failedTasks(World world, Change change) {
        for (Rows.Task task : world.database.read(s -> s.tasks(null, null, null, 1000))) {
            boolean back = String.valueOf(task.result()).contains("Rolled back");
            if (change.takenBack() && task.state().equals("error") && back) {
                continue;
            }
            boolean again = task.type().equals("delete_deployment"); // taken twice, deleted once
            if (!task.state().equals("done") && !again) {
                throw new Broken("R4: task " + task.id() + " did not go on: " + task.result());
            }
        }
    }

    static int main() {
        int broken = 0;
        long moments = 0;
        long runs = 0;
        long begun = System.nanoTime();
        List<Outcome> outcomes =
                changes().parallelStream().map(change -> killAtEach(change, true)).toList();
        for (Outcome outcome : outcomes) {
            System.out.printf(
                    "  %-28s %4d moments, %4d runs: %s%n",
                    outcome.change(),
                    outcome.moments(),
                    outcome.runs(),
                    outcome.broken().isEmpty() ? "no rule broken" : "BROKEN");
            outcome.broken().forEach(line -> System.out.println("    " + line));
            broken += outcome.broken().size();
            moments += outcome.moments();
            runs += outcome.runs();
        }
        System.out.printf(
                "%d crash points, each alone and with a second crash soon after: %d runs in %.1f s%n",
                moments, runs, (System.nanoTime() - begun) / 1e9);
        return broken == 0 ? 0 : 1;
    }
}
