package dev.berth.planner;

import dev.berth.planner.Plan.Change;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What differs between an instance as recorded and seen, and as wished; in BOSH's order, with a
 * reason that says from what to what and never shows a value that may be secret.
 */
public final class Differences {
    /** Between the digest of an instance's containers and that of its Docker daemon's settings. */
    public static final String DAEMON = "-daemon:";

    private static final Set<String> REPLACE_VM =
            Set.of("vm", "recreate", "az", "cloud_properties", "stemcell", "env", "network");

    private Differences() {}

    static boolean replacesVm(Change change) {
        return REPLACE_VM.contains(change.kind());
    }

    static List<Change> of(
            Recorded.Instance row, Observation seen, Wish wish, PlanOptions options) {
        var changes = new ArrayList<Change>();
        Recorded.Vm vm = row.vm();
        if (!row.updateCompleted()) {
            changes.add(new Change("dirty", "the last update did not complete"));
        }
        if (row.formerly() != null) {
            changes.add(new Change("renamed", "it was " + row.formerly()));
        }
        if (vm == null) {
            if (!wish.isDetached()) {
                changes.add(new Change("vm", "has no VM"));
            }
        } else if (wish.isDetached()) {
            changes.add(new Change("state", "VM " + vm.cid() + " is to go, the disk to stay"));
        } else {
            ofVm(vm, seen, changes);
            if (wish.isStarted()) {
                ofRequests(wish, options, changes);
                ofAz(row, wish, changes);
                ofWish(row, vm, wish, changes);
                ofAgentsConfiguration(row, seen, wish, changes);
            }
            ofDiskPlace(row, vm, seen, wish, changes);
            ofContainers(seen, wish, changes);
        }
        if (!row.state().equals(wish.target())) {
            changes.add(new Change("state", row.state() + " → " + wish.target()));
        }
        if (wish.tagsChanged() && vm != null && !wish.isDetached()) {
            changes.add(new Change("tags", "the deployment's tags changed"));
        }
        return changes;
    }

    /** What waits until the stopped instance is started again. */
    static List<Change> deferred(Recorded.Instance row, Observation seen, Wish wish) {
        var changes = new ArrayList<Change>();
        boolean stays = seen instanceof Observation.Answers || seen instanceof Observation.Stopped;
        if (row.vm() != null && stays && wish.target().equals("stopped")) {
            ofWish(row, row.vm(), wish, changes);
        }
        return changes;
    }

    private static void ofWish(
            Recorded.Instance row, Recorded.Vm vm, Wish wish, List<Change> changes) {
        ofShape(vm.shape(), wish.shape(), changes);
        ofDiskWish(row, wish, changes);
        if (!row.configurationHash().equals(wish.configurationHash())) {
            String was = row.configurationHash();
            changes.add(
                    new Change(
                            "configuration",
                            was.isEmpty()
                                    ? "the containers were never applied"
                                    : changed(was, wish.configurationHash())));
        }
    }

    private static void ofVm(Recorded.Vm vm, Observation seen, List<Change> changes) {
        switch (seen) {
            case Observation.Gone() ->
                    changes.add(new Change("vm", "the cloud says VM " + vm.cid() + " is gone"));
            case Observation.NoVm() ->
                    changes.add(new Change("vm", "VM " + vm.cid() + " was not to be found"));
            case Observation.Silent silent ->
                    changes.add(
                            new Change(
                                    "recreate",
                                    "the agent of VM "
                                            + vm.cid()
                                            + " is silent, last seen "
                                            + silent.lastSeen()));
            case Observation.Unfinished() ->
                    changes.add(new Change("vm", "VM " + vm.cid() + " was left half-made"));
            case Observation.Stopped() ->
                    changes.add(new Change("state", "VM " + vm.cid() + " is switched off"));
            case Observation.Answers answers -> {}
        }
    }

    private static void ofRequests(Wish wish, PlanOptions options, List<Change> changes) {
        if ("restart".equals(wish.request())) {
            changes.add(new Change("restart", "a restart was asked for"));
        }
        boolean recreate = options.recreate() && !options.fulfilled().contains(wish.id());
        if (recreate || "recreate".equals(wish.request())) {
            changes.add(new Change("recreate", "a new VM was asked for"));
        }
    }

    private static void ofAz(Recorded.Instance row, Wish wish, List<Change> changes) {
        if (!Objects.equals(row.az(), wish.az())) {
            String along = row.disks().isEmpty() ? "" : ", its disks move along";
            changes.add(new Change("az", az(row.az()) + " → " + az(wish.az()) + along));
        }
    }

    private static String az(@Nullable String az) {
        return az == null ? "no az" : az;
    }

    private static void ofShape(Step.VmShape was, Step.VmShape wished, List<Change> changes) {
        if (!was.cpi().equals(wished.cpi())) {
            changes.add(new Change("cloud_properties", "cpi " + was.cpi() + " → " + wished.cpi()));
        } else if (!Trees.same(was.cloudProperties(), wished.cloudProperties())) {
            changes.add(
                    new Change(
                            "cloud_properties",
                            Trees.differingKeys(was.cloudProperties(), wished.cloudProperties())));
        }
        if (!was.stemcell().equals(wished.stemcell())) {
            changes.add(new Change("stemcell", was.stemcell() + " → " + wished.stemcell()));
        }
        if (!Trees.same(was.env(), wished.env())) {
            changes.add(new Change("env", Trees.differingKeys(was.env(), wished.env())));
        }
        if (!Trees.same(was.networks(), wished.networks())) {
            changes.add(new Change("network", networks(was.networks(), wished.networks())));
        }
    }

    private static String networks(Map<String, Object> was, Map<String, Object> wished) {
        var names = new TreeSet<>(was.keySet());
        names.addAll(wished.keySet());
        var texts = new ArrayList<String>();
        for (String name : names) {
            if (was.get(name) instanceof Map<?, ?> old
                    && wished.get(name) instanceof Map<?, ?> now) {
                if (!Trees.same(old.get("ip"), now.get("ip"))) {
                    texts.add(name + " " + old.get("ip") + " → " + now.get("ip"));
                } else if (!Trees.same(old, now)) {
                    texts.add(name + ": settings changed");
                }
            } else {
                texts.add(name + (was.containsKey(name) ? " removed" : " added"));
            }
        }
        return String.join(", ", texts);
    }

    private static void ofDiskWish(Recorded.Instance row, Wish wish, List<Change> changes) {
        for (Desired.DiskWish wished : wish.disks()) {
            Recorded.Disk disk = row.disk(wished.name());
            if (disk == null) {
                ofDisk(changes, "no " + wished.text() + " → " + wished.sizeMb() + " MB");
            } else {
                String reason = DiskWay.reason(disk, wished);
                if (!reason.isEmpty()) {
                    ofDisk(changes, disk.cid() + " " + reason);
                }
            }
        }
        for (Recorded.Disk disk : row.disks()) {
            if (wish.disk(disk.name()) == null) {
                ofDisk(changes, disk.cid() + " (" + disk.sizeMb() + " MB) is no longer wanted");
            } else if (!disk.live()) {
                ofDisk(changes, disk.cid() + " is left over from a copy");
            }
        }
    }

    private static void ofDiskPlace(
            Recorded.Instance row,
            Recorded.Vm vm,
            Observation seen,
            Wish wish,
            List<Change> changes) {
        for (Recorded.Disk disk : row.live()) {
            if (wish.disk(disk.name()) == null) {
                continue;
            }
            if (!vm.cid().equals(disk.attachedTo())) {
                ofDisk(changes, disk.cid() + " is not attached to VM " + vm.cid());
            } else if (seen instanceof Observation.Answers answers && !answers.hasMounted(disk)) {
                ofDisk(changes, disk.cid() + " is not mounted in VM " + vm.cid());
            }
        }
    }

    private static void ofDisk(List<Change> changes, String reason) {
        changes.add(new Change("persistent_disk", reason));
    }

    private static void ofAgentsConfiguration(
            Recorded.Instance row, Observation seen, Wish wish, List<Change> changes) {
        String wished = wish.configurationHash();
        if (row.configurationHash().equals(wished)
                && seen instanceof Observation.Answers answers
                && !answers.configurationHash().equals(wished)) {
            changes.add(
                    new Change(
                            "configuration",
                            answers.configurationHash().isEmpty()
                                    ? "the agent has no containers to run"
                                    : "the agent has other containers than were recorded, "
                                            + shortened(answers.configurationHash())
                                            + " → "
                                            + shortened(wished)));
        }
    }

    private static void ofContainers(Observation seen, Wish wish, List<Change> changes) {
        if (seen instanceof Observation.Answers answers) {
            boolean running = answers.jobState().equals("running");
            boolean stopped = answers.jobState().equals("stopped");
            if (wish.isStarted() && !running) {
                changes.add(
                        new Change(
                                "state", "containers are " + answers.jobState() + ", not running"));
            } else if (!wish.isStarted() && !stopped) {
                changes.add(
                        new Change(
                                "state", "containers are " + answers.jobState() + ", not stopped"));
            }
        }
    }

    private static String changed(String was, String now) {
        var texts = new ArrayList<String>();
        if (!containers(was).equals(containers(now))) {
            texts.add("the containers changed, " + shortened(was) + " → " + shortened(now));
        }
        if (!was.substring(containers(was).length())
                .equals(now.substring(containers(now).length()))) {
            texts.add("the settings of the Docker daemon changed");
        }
        return String.join("; ", texts);
    }

    /** The part of a configuration's hash that is about containers. */
    private static String containers(String hash) {
        int end = hash.indexOf(DAEMON);
        return end < 0 ? hash : hash.substring(0, end);
    }

    private static String shortened(String hash) {
        return hash.length() > 12 ? hash.substring(0, 12) : hash;
    }
}
