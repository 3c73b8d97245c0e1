package dev.berth.simulation;

import dev.berth.model.Json;
import dev.berth.simulation.CrashPoints.Act;
import dev.berth.simulation.CrashPoints.Change;
import dev.berth.simulation.Wish.Group;
import dev.berth.store.Rows;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Changes of disks, in which the director is killed at each moment. */
final class DiskChanges {
    private static final String MAY_STOP = "one/db";
    private static final Map<String, String> TWO =
            Map.of("data", "data", "logs", "logs", "block", "device");

    private DiskChanges() {}

    static List<Change> all(Wish base) {
        Group db = base.groups().get(0);
        var changes = new ArrayList<Change>();
        changes.add(
                changed(
                        "disk grown by copy",
                        base,
                        base.with(db.diskMb(2048)),
                        act -> act.world.cloud.growNoDisks()));
        changes.add(shrunk(base, base.with(db.diskMb(512))));
        changes.add(
                changed("disk of another kind", base, base.with(db.diskType("fast")), act -> {}));
        changes.add(changed("file system changed", base, base.with(db.diskType("xfs")), act -> {}));
        changes.add(named(base, db));
        changes.add(
                changed("moved to another az", base, base.with(db.azs(List.of("z2"))), act -> {}));
        changes.add(
                CrashPoints.deploy(
                        "group renamed",
                        base,
                        base.groups(List.of(db.renamed("store"), base.groups().get(1))),
                        "nothing"));
        changes.add(kindRenamed(base));
        changes.add(resized(base));
        changes.add(attached(base));
        return changes;
    }

    /** One that renames the kind of a disk and nothing else moves nothing. */
    private static Change kindRenamed(Wish base) {
        Group db = base.groups().get(0);
        Wish fast = base.with(db.diskType("fast"));
        return CrashPoints.deploy("kind renamed", fast, base.with(db.diskType("quick")), "nothing");
    }

    private interface Before {
        void change(Act act);
    }

    private static Change changed(String name, Wish from, Wish to, Before before) {
        return new Change(
                name,
                from,
                to,
                act -> {
                    before.change(act);
                    act.world.rules.mayStop(MAY_STOP);
                    act.deploy(to);
                },
                Act::tasksEnded);
    }

    private static Change named(Wish base, Group db) {
        Wish two = base.with(db.named(TWO));
        Wish grown =
                base.with(
                        db.named(
                                Map.of(
                                        "data",
                                        "data-grown",
                                        "logs",
                                        "logs-fast",
                                        "block",
                                        "device")));
        return changed("two disks, one grown, one copied", two, grown, act -> {});
    }

    private static Change shrunk(Wish from, Wish to) {
        return new Change(
                "disk shrunk",
                from,
                to,
                act -> {
                    act.world.rules.mayStop(MAY_STOP);
                    act.task(
                            "update_deployment",
                            act.world.deployPayload(to, Json.of("allow_shrink", true)));
                },
                Act::tasksEnded);
    }

    /** By command; the manifest that follows says the same. */
    private static Change resized(Wish base) {
        Group db = base.groups().get(0);
        return new Change(
                "disk resized by command",
                base,
                base.with(db.diskMb(2048)),
                act -> {
                    act.world.cloud.growNoDisks();
                    act.world.rules.mayStop(MAY_STOP);
                    act.task(
                            "resize_disk",
                            Json.of("deployment", "one", "group", "db", "size_mb", 2048L));
                },
                Act::tasksEnded);
    }

    /** The disk that a stopped instance had is taken from it, and given back. */
    private static Change attached(Wish base) {
        return new Change(
                "disk attached",
                base,
                base,
                act -> {
                    act.state(base, "detached");
                    act.world.await(act::tasksEnded, java.time.Duration.ofHours(1));
                    Rows.Instance instance = act.first("db");
                    String cid =
                            act.world
                                    .database
                                    .read(s -> s.disks(instance.id()))
                                    .getFirst()
                                    .cid()
                                    .value();
                    act.task("orphan_disk", Json.of("cid", cid));
                    act.world.await(act::tasksEnded, java.time.Duration.ofHours(1));
                    act.task(
                            "attach_disk",
                            Json.of(
                                    "deployment",
                                    "one",
                                    "group",
                                    "db",
                                    "instance",
                                    instance.id().value(),
                                    "cid",
                                    cid));
                    act.world.await(act::tasksEnded, java.time.Duration.ofHours(1));
                    act.state(base, "started");
                },
                Act::tasksEnded);
    }
}
