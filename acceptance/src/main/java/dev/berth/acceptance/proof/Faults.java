package dev.berth.acceptance.proof;

import dev.berth.acceptance.BenchException;
import dev.berth.acceptance.BenchTools;
import dev.berth.model.Fields;
import java.util.HashMap;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What a proof run does to the databases, one after another. */
final class Faults {
    /** More journal writes than any of the changes makes. */
    private static final int EVERY_WRITE = 99;

    private static final String CONTAINER =
            "docker ps -q --filter label=berth.container | head -n 1";

    /** The processes that look after the database, a line each. */
    private static final String HELPERS = "pgrep -x java; pgrep -x dockerd; true";

    private static final long AWAY_MS = 600_000;

    private Faults() {}

    static List<Fault> all() {
        return List.of(
                Fault.of("container", "the database's process killed", 5, 1, Faults::containers),
                Fault.of("daemon", "dockerd in the VM killed", 5, 1, Faults::daemons),
                Fault.of("agent", "the agent killed", 5, 1, Faults::agents),
                Fault.of("hung", "dockerd and the agent stopped as if hung", 5, 0, Faults::hung),
                Fault.of("vm", "the VM destroyed; it is replaced", 30, 1, Faults::removedVms),
                Fault.of("power", "the VM's power cut; it is started again", 5, 1, Faults::vmsOff),
                new Fault(
                        "silent",
                        "one VM paused, one cut off; rebooted, and replaced",
                        6,
                        1,
                        Faults::silentVms),
                Fault.of("bus", "the bus killed", 3, 1, Faults::bus),
                Fault.of("director", "the director killed, and back later", 3, 1, Faults::director),
                Fault.of(
                        "away",
                        "the director away for ten minutes, everything else struck meanwhile",
                        2,
                        0,
                        Faults::away),
                new Fault(
                        "repair-killed",
                        "the director killed at each journal write of a repair",
                        EVERY_WRITE,
                        1,
                        Faults::repairKilled),
                Fault.of("grow", "both disks grown in place", 3, 1, Faults::grow),
                new Fault(
                        "grow-killed",
                        "the director killed at each journal write of a growth",
                        EVERY_WRITE,
                        1,
                        Faults::growKilled),
                Fault.of("copy", "both disks made smaller, by copy", 3, 1, Faults::copy),
                new Fault(
                        "copy-killed",
                        "the director killed at each journal write of a copy",
                        EVERY_WRITE,
                        1,
                        Faults::copyKilled),
                new Fault(
                        "copy-agent",
                        "the agents killed in the middle of a copy",
                        8,
                        1,
                        Faults::copyWithoutAgents),
                Fault.of(
                        "snapshot",
                        "snapshots taken, and databases started of them",
                        4,
                        1,
                        Copies::snapshot),
                Fault.of("restore", "backed up, and put back to the backup", 4, 1, Copies::restore),
                Fault.of("full", "the disk filled up, and emptied", 3, 1, Faults::full),
                Fault.of(
                        "blackout",
                        "unsynced writes dropped, everything killed at once",
                        5,
                        1,
                        Faults::blackout));
    }

    // --- in the VM

    private static void containers(Stage stage) {
        stage.vms().forEach(vm -> killContainer(stage, vm));
    }

    private static void killContainer(Stage stage, String vm) {
        stage.inVm(vm, "kill -9 $(docker inspect -f '{{.State.Pid}}' $(" + CONTAINER + "))");
    }

    private static void daemons(Stage stage) {
        for (String group : Stage.GROUPS) {
            stage.in(group, "kill -9 $(cat /run/docker.pid)");
        }
    }

    private static void agents(Stage stage) {
        for (String group : Stage.GROUPS) {
            stage.in(group, "kill -9 $(pgrep -x java)");
        }
    }

    /** Neither ends; both are noticed by their silence, killed and started again, and told of. */
    private static void hung(Stage stage) {
        long told = stage.lastEvent();
        var before = new HashMap<String, String>();
        for (String group : Stage.GROUPS) {
            before.put(group, stage.in(group, HELPERS));
            stage.in(group, "kill -STOP $(pgrep -x java) $(cat /run/docker.pid)");
        }
        before.forEach((group, old) ->
                stage.await(
                        "another dockerd and another agent beside " + group,
                        () -> areOthers(old, stage.in(group, HELPERS))));
        stage.await(
                "the events of both agents that were killed",
                () -> stage.events("object_type=healing&action=restart%20agent", told) == 2);
    }

    private static boolean areOthers(String before, String now) {
        List<String> old = before.lines().toList();
        List<String> there = now.lines().toList();
        return there.size() == old.size() && there.stream().noneMatch(old::contains);
    }

    /** Until the file system takes no more; then what filled it goes. */
    private static void full(Stage stage) {
        for (String group : Stage.GROUPS) {
            stage.in(group, "cat /dev/zero > /var/vcap/store/filler 2> /dev/null; sync; true");
        }
        BenchTools.pause(3000); // for the databases to run into it
        for (String group : Stage.GROUPS) {
            stage.in(group, "rm /var/vcap/store/filler; sync");
        }
    }

    // --- the VM

    private static void removedVms(Stage stage) {
        for (String vm : stage.vms()) {
            stage.engine().removeContainer(vm, true, false);
        }
    }

    private static void vmsOff(Stage stage) {
        stage.vms().forEach(vm -> stage.docker("kill", vm));
    }

    /** One looks dead and is not; the other writes on where nobody hears it. They take turns. */
    private static boolean silentVms(Stage stage, int round) {
        String paused = stage.vm(Stage.GROUPS.get(round % 2));
        String cut = stage.vm(Stage.GROUPS.get((round + 1) % 2));
        String before = life(stage, paused);
        stage.docker("pause", paused);
        String network = stage.environment().file().networkName();
        stage.docker("network", "disconnect", "-f", network, cut);
        stage.await(
                "the paused VM rebooted or replaced, and one in place of the one cut off",
                () ->
                        areReplaced(stage, List.of(cut))
                                && (areReplaced(stage, List.of(paused))
                                        || !life(stage, paused).equals(before)));
        if (areReplaced(stage, List.of(paused))
                && stage.engine().inspectContainer(paused).isPresent()) {
            stage.docker("unpause", paused);
            throw new BenchException("VM " + paused + " was replaced, and could be resumed");
        }
        return true;
    }

    /** When it was started; another time is another life. Empty: it is not there. */
    private static String life(Stage stage, String vm) {
        return stage.engine()
                .inspectContainer(vm)
                .map(tree -> Fields.of(tree, "VM").object("State").string("StartedAt", ""))
                .orElse("");
    }

    private static boolean areReplaced(Stage stage, List<String> old) {
        List<String> now = stage.vms();
        return now.stream().noneMatch(old::contains) && now.stream().noneMatch(String::isEmpty);
    }

    // --- the director's side

    private static void bus(Stage stage) {
        Stage.kill(stage.pidOf("nats-server"));
    }

    private static void director(Stage stage) {
        List<String> vms = stage.vms();
        Stage.kill(stage.directorPid());
        vms.forEach(vm -> killContainer(stage, vm)); // which the agents mend alone
        BenchTools.pause(3000);
        stage.up();
    }

    /**
     * Ten minutes without a director: the agents mend what they can, it replaces a VM when it is
     * back, and says nothing false about those that were well all the time or again.
     */
    private static void away(Stage stage) {
        long told = stage.lastEvent();
        String survivor = stage.vm("postgres");
        String lost = stage.vm("redis");
        Stage.kill(stage.directorPid());
        killContainer(stage, survivor);
        BenchTools.pause(AWAY_MS / 4);
        stage.inVm(survivor, "kill -9 $(cat /run/docker.pid)");
        BenchTools.pause(AWAY_MS / 4);
        stage.inVm(survivor, "kill -9 $(pgrep -x java)");
        stage.engine().removeContainer(lost, true, false);
        BenchTools.pause(AWAY_MS / 4);
        killContainer(stage, survivor);
        BenchTools.pause(AWAY_MS / 4);
        stage.up();
        stage.await("a VM in place of the lost one", () -> !stage.vm("redis").equals(lost));
        stage.awaitWell();
        if (!stage.vm("postgres").equals(survivor)) {
            throw new BenchException("VM " + survivor + " was well, and was replaced");
        }
        List<String> about = stage.alertsSince(told);
        if (!about.equals(List.of("instance/" + stage.id("redis")))) {
            throw new BenchException("only one VM was lost, and alerts are about " + about);
        }
    }

    /**
     * XFS grows under the database; ext4 as well where the host allows it, else its containers stop
     * for a moment.
     */
    private static void grow(Stage stage) {
        long task = stage.deploy(stage.grown(), "");
        String told = stage.environment().director().output(task, "event");
        long online = told.lines().filter(l -> l.contains("no container stopped")).count();
        if (online == 0 || told.contains("by copy")) {
            throw new BenchException("a disk did not grow as it should: " + told);
        }
    }

    private static boolean growKilled(Stage stage, int round) {
        return killedAtWrite(
                stage, round, () -> stage.environment().director().begin(stage.grown(), ""));
    }

    private static final String SHRINK = "allow_shrink=true";

    private static void copy(Stage stage) {
        stage.deploy(stage.shrunk(), SHRINK);
        stage.dropOldDisks();
    }

    private static boolean copyKilled(Stage stage, int round) {
        boolean struck =
                killedAtWrite(
                        stage,
                        round,
                        () -> stage.environment().director().begin(stage.shrunk(), SHRINK));
        stage.dropOldDisks();
        return struck;
    }

    /** A little later in each run. The deploy may fail of it; the next one takes it up. */
    private static boolean copyWithoutAgents(Stage stage, int round) {
        try (var journal = new JournalWatch(stage.environment().home())) {
            long enough = journal.writes() + 8; // both new disks are made and shown by then
            String smaller = stage.shrunk();
            long task = stage.environment().director().begin(smaller, SHRINK);
            if (awaitWrites(stage, journal, enough, task)) {
                BenchTools.pause(100L * round);
                agents(stage);
            }
            stage.await("the end of the copy", () -> stage.environment().director().hasEnded(task));
            stage.awaitWell();
            stage.deploy(smaller, SHRINK);
            stage.dropOldDisks();
            return true;
        }
    }

    private static boolean repairKilled(Stage stage, int round) {
        List<String> old = stage.vms();
        boolean struck =
                killedAtWrite(
                        stage,
                        round,
                        () -> {
                            removedVms(stage);
                            return -1;
                        });
        stage.await("VMs in place of the destroyed ones", () -> areReplaced(stage, old));
        return struck;
    }

    /**
     * Kills the director as soon as its journal was written that often since the change began.
     *
     * @param change its task; -1 when the director finds out by itself
     * @return false when the change was over before
     */
    private static boolean killedAtWrite(Stage stage, int round, LongSupplier change) {
        try (var journal = new JournalWatch(stage.environment().home())) {
            long enough = journal.writes() + round + 1;
            Long task = change.getAsLong();
            boolean struck = awaitWrites(stage, journal, enough, task < 0 ? null : task);
            if (struck) {
                Stage.kill(stage.directorPid());
                stage.up();
            }
            if (task >= 0) {
                stage.awaitDone(task);
            }
            return struck;
        }
    }

    private static boolean awaitWrites(
            Stage stage, JournalWatch journal, long enough, @Nullable Long task) {
        long quietSince = System.nanoTime();
        long seen = -1;
        while (journal.writes() < enough) {
            // A repair begins when it is noticed, or after the pause that follows one that did not
            // help, and is over when nothing is written any more.
            long now = journal.writes();
            quietSince = now == seen ? quietSince : System.nanoTime();
            seen = now;
            boolean over =
                    task == null
                            ? BenchTools.secondsSince(quietSince) > 60
                            : stage.environment().director().hasEnded(task);
            if (over) {
                return journal.writes() >= enough;
            }
            BenchTools.pause(1);
        }
        return true;
    }

    // --- the host

    /**
     * All stands still, the file systems drop what was not synced, as at a power cut, and VMs,
     * director, bus and registry die. Without the standstill ext4 lets a sync that is under way at
     * that moment come back as done although it drops its data: no power cut can do that, as nobody
     * is left to hear of it.
     */
    private static void blackout(Stage stage) {
        List<String> vms = stage.vms();
        vms.forEach(vm -> stage.docker("pause", vm));
        for (String vm : vms) {
            String pid = stage.docker("inspect", "-f", "{{.State.Pid}}", vm).strip();
            BenchTools.run(
                    "nsenter",
                    "-t",
                    pid,
                    "-m",
                    "xfs_io",
                    "-x",
                    "-c",
                    "shutdown",
                    "/var/vcap/store");
        }
        Stage.kill(stage.directorPid());
        for (String program : List.of("nats-server", "docker-registry")) {
            Stage.kill(stage.pidOf(program));
        }
        vms.forEach(vm -> stage.docker("kill", vm));
        stage.up();
    }
}
