package dev.berth.planner;

import dev.berth.model.InstanceId;
import dev.berth.model.Problem;
import dev.berth.planner.Plan.Change;
import dev.berth.planner.Plan.GroupPlan;
import dev.berth.planner.Plan.InstancePlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Plans one instance group. */
final class GroupPlanner {
    /**
     * One wanted instance.
     *
     * @param id of the row, or new
     */
    private record Member(InstanceId id, int index, Placement.Slot slot) {
        boolean isNew() {
            return slot.row() == null;
        }
    }

    private final Desired.Group group;
    private final List<Recorded.Instance> rows;
    private final boolean tagsChanged;
    private final Planner.Removal shared;
    private final PlanOptions options;
    private final AddressBook book;
    private final IdSource ids;

    GroupPlanner(
            Desired.Group group,
            List<Recorded.Instance> rows,
            boolean tagsChanged,
            Planner.Removal shared,
            AddressBook book,
            IdSource ids) {
        this.group = group;
        this.rows = rows;
        this.tagsChanged = tagsChanged;
        this.shared = shared;
        this.options = shared.options();
        this.book = book;
        this.ids = ids;
    }

    GroupPlan plan() {
        Placement.Result placed =
                Placement.place(
                        group, rows, book, options.disks().movesBetweenAzs(), shared.problems());
        List<InstancePlan> obsolete =
                placed.obsolete().stream()
                        .filter(row -> options.mayRemove() && !row.ignored())
                        .map(row -> shared.plan(row, surplus(row)))
                        .toList();
        List<Member> members = members(placed);
        InstanceId bootstrap = bootstrap(members);
        String firstAz =
                members.stream()
                        .filter(m -> m.id().equals(bootstrap))
                        .map(m -> m.slot().az() == null ? "" : m.slot().az())
                        .findFirst()
                        .orElse("");
        List<InstancePlan> instances =
                members.stream()
                        .map(m -> instance(m, m.id().equals(bootstrap)))
                        .sorted(updateOrder(firstAz))
                        .toList();
        int handled = (int) instances.stream().filter(InstancePlan::hasWork).count();
        Desired.Update update = group.update();
        return new GroupPlan(
                group.name(),
                update.canaries().of(handled),
                Math.max(1, update.maxInFlight().of(Math.max(handled, obsolete.size()))),
                update.canaryWatch(),
                update.updateWatch(),
                update.rollsBack(),
                obsolete,
                instances);
    }

    private String surplus(Recorded.Instance row) {
        boolean azGone = row.az() != null && !group.azs().contains(row.az());
        return azGone
                ? "group " + group.name() + " is no longer in az " + row.az()
                : "group "
                        + group.name()
                        + " is to have "
                        + group.instances()
                        + " instance"
                        + (group.instances() == 1 ? "" : "s");
    }

    /** New instances get the lowest indexes that no row of the group uses. */
    private List<Member> members(Placement.Result placed) {
        var used = new HashSet<Integer>();
        rows.forEach(row -> used.add(row.index()));
        var members = new ArrayList<Member>();
        int next = 0;
        for (Placement.Slot slot : placed.slots()) {
            Recorded.Instance row = slot.row();
            if (row != null) {
                members.add(new Member(row.id(), row.index(), slot));
            } else if (options.only() == null) {
                while (!used.add(next)) {
                    next++;
                }
                members.add(new Member(ids.next(), next, slot));
            }
        }
        return members;
    }

    /** Whoever has the flag alone keeps it; else the lowest index gets it. */
    private static @Nullable InstanceId bootstrap(List<Member> members) {
        List<Member> flagged =
                members.stream()
                        .filter(m -> m.slot().row() != null && m.slot().row().bootstrap())
                        .toList();
        return (flagged.size() == 1 ? flagged : members)
                .stream().min(Comparator.comparing(Member::index)).map(Member::id).orElse(null);
    }

    /** The bootstrap instance, the rest of its az, those without az, then az by az. */
    private static Comparator<InstancePlan> updateOrder(String firstAz) {
        return Comparator.comparing((InstancePlan i) -> !i.bootstrap())
                .thenComparing(i -> !(i.az() == null ? "" : i.az()).equals(firstAz))
                .thenComparing(i -> i.az() == null ? "" : i.az())
                .thenComparing(i -> i.group() + "/" + i.id());
    }

    // --- one instance

    private InstancePlan instance(Member member, boolean bootstrap) {
        Recorded.Instance row = member.slot().row();
        if (row != null && row.ignored()) {
            checkIgnored(row, member.slot());
            return untouched(member, row, bootstrap);
        }
        if (row != null && !options.mayTouch(row.id())) {
            return untouched(member, row, bootstrap);
        }
        Observation look = row == null ? new Observation.NoVm() : shared.look(row);
        Wish wish = wish(member, look);
        if (row != null) {
            refuseSilent(wish, row, look);
            refuseDisks(wish, row);
        }
        List<Change> changes =
                row == null
                        ? List.of(new Change("new", "group " + group.name() + " is to have it"))
                        : Differences.of(row, look, wish, options);
        if (row != null) {
            for (Change change : Differences.deferred(row, look, wish)) {
                shared.warnings()
                        .add(
                                wish.text()
                                        + " is stopped; when it is started: "
                                        + change.kind()
                                        + ", "
                                        + change.reason());
            }
        }
        InstanceSteps.Written written = InstanceSteps.update(row, look, wish, changes, options);
        return new InstancePlan(
                member.id(),
                group.name(),
                member.index(),
                wish.az(),
                bootstrap,
                member.isNew(),
                wish.target(),
                wish.addresses(),
                wish.shape().networks(),
                changes,
                written.creation(),
                written.steps());
    }

    private InstancePlan untouched(Member member, Recorded.Instance row, boolean bootstrap) {
        return new InstancePlan(
                row.id(),
                group.name(),
                row.index(),
                row.az(),
                bootstrap,
                false,
                row.state(),
                row.addresses(),
                row.vm() == null ? Map.of() : row.vm().shape().networks(),
                List.of(),
                List.of(),
                List.of());
    }

    private Wish wish(Member member, Observation look) {
        Recorded.Instance row = member.slot().row();
        String request = request(member.id(), member.index());
        boolean once = "restart".equals(request) || "recreate".equals(request);
        String target =
                once
                        ? "started"
                        : request != null ? request : row == null ? "started" : row.state();
        String text = group.name() + "/" + member.id() + " (" + member.index() + ")";
        Map<String, String> addresses =
                row != null && keepsAddresses(row, look, target)
                        ? row.addresses()
                        : addresses(member.slot(), member.id(), text);
        Desired.VmWish vm = group.vm(member.slot().az());
        Map<String, Object> networks =
                row != null && row.vm() != null && keepsAddresses(row, look, target)
                        ? row.vm().shape().networks()
                        : settings(addresses);
        var shape =
                new Step.VmShape(
                        vm.cpi(),
                        vm.stemcell(),
                        vm.stemcellCid(),
                        vm.stemcellApiVersion(),
                        vm.cloudProperties(),
                        group.env(),
                        networks);
        boolean stays = row != null && keepsAddresses(row, look, target);
        return new Wish(
                member.id(),
                text,
                target,
                once && !options.fulfilled().contains(member.id()) ? request : null,
                row != null && stays ? row.az() : member.slot().az(),
                addresses,
                shape,
                row == null
                        ? group.disks()
                        : group.disks().stream().map(d -> sized(d, row)).toList(),
                group.configurationHash(),
                tagsChanged);
    }

    /** A VM that only stops, and an instance without one, stay where they are. */
    private static boolean keepsAddresses(Recorded.Instance row, Observation look, String target) {
        if (target.equals("started")) {
            return false;
        }
        return target.equals("detached")
                || look instanceof Observation.Answers
                || look instanceof Observation.Stopped;
    }

    /**
     * The size that a person wants this instance's disk to have; or the disk as it is where a
     * person gave it and that holds.
     */
    private Desired.DiskWish sized(Desired.DiskWish wished, Recorded.Instance row) {
        Long asked = options.disks().sizes().get(new PlanOptions.DiskOf(row.id(), wished.name()));
        if (asked != null) {
            return wished.ofSize(asked, asked == wished.sizeMb() ? 0 : wished.sizeMb());
        }
        Recorded.Disk disk = row.disk(wished.name());
        if (disk == null || disk.manifestMb() == 0 || !options.disks().keepsGiven()) {
            return wished;
        }
        return wished.of(disk);
    }

    private @Nullable String request(InstanceId id, int index) {
        String byId = group.instanceStates().get(id.value());
        String byIndex = group.instanceStates().get(String.valueOf(index));
        return byId != null ? byId : byIndex != null ? byIndex : group.state();
    }

    // --- addresses

    private Map<String, String> addresses(Placement.Slot slot, InstanceId id, String text) {
        Recorded.Instance row = slot.row();
        var addresses = new LinkedHashMap<String, String>();
        for (Desired.NetworkUse use : group.networks()) {
            AddressBook.Network network = book.network(use.network());
            String wanted = slot.statics().get(use.name());
            String address =
                    wanted != null
                            ? wanted
                            : row == null ? null : kept(slot, row, network, use, addresses);
            if (wanted != null && !book.claim(wanted, id)) {
                refuseTaken(wanted, text);
            }
            if (address == null) {
                address = network.deal(slot.az());
            }
            if (address == null) {
                shared.problems()
                        .add(
                                new Problem(
                                        130011,
                                        null,
                                        "Failed to reserve IP for '"
                                                + text
                                                + "' for manual network '"
                                                + use.name()
                                                + "': no more available",
                                        "widen the range of the network or free addresses of it"));
            } else {
                addresses.put(use.name(), address);
            }
        }
        return addresses;
    }

    /** By the network's name; else one from a network the group has left (a renamed network). */
    private @Nullable String kept(
            Placement.Slot slot,
            Recorded.Instance row,
            AddressBook.Network network,
            Desired.NetworkUse use,
            Map<String, String> given) {
        String own = row.addresses().get(use.name());
        if (own != null && network.mayKeep(own, slot.az(), use.isStatic())) {
            return own;
        }
        Set<String> wanted = new HashSet<>();
        group.networks().forEach(n -> wanted.add(n.name()));
        return row.addresses().entrySet().stream()
                .filter(e -> !wanted.contains(e.getKey()) && !given.containsValue(e.getValue()))
                .map(Map.Entry::getValue)
                .filter(address -> network.mayKeep(address, slot.az(), use.isStatic()))
                .findFirst()
                .orElse(null);
    }

    private Map<String, Object> settings(Map<String, String> addresses) {
        var settings = new LinkedHashMap<String, Object>();
        for (Desired.NetworkUse use : group.networks()) {
            String address = addresses.get(use.name());
            if (address != null) {
                settings.put(
                        use.name(), book.network(use.network()).settings(address, use.defaults()));
            }
        }
        return settings;
    }

    // --- refusals

    private void refuseTaken(String address, String text) {
        Recorded.Instance owner = book.ownerOf(address);
        shared.problems()
                .add(
                        new Problem(
                                130008,
                                null,
                                "Failed to reserve IP '"
                                        + address
                                        + "' for instance '"
                                        + text
                                        + "': already reserved by "
                                        + (owner == null
                                                ? "another deployment or instance"
                                                : "instance '"
                                                        + owner.group()
                                                        + "/"
                                                        + owner.id()
                                                        + "'"),
                                "choose another address, or first deploy so that its holder gives"
                                        + " it up"));
    }

    private void refuseSilent(Wish wish, Recorded.Instance row, Observation look) {
        if (look instanceof Observation.Silent silent && row.vm() != null && !options.fix()) {
            String name = group.name() + "/" + row.id();
            shared.problems()
                    .add(
                            new Problem(
                                    450002,
                                    null,
                                    name
                                            + ": Timed out sending 'get_state' to instance: '"
                                            + name
                                            + "', agent-id: '"
                                            + row.vm().agent()
                                            + "' after 45 seconds; last seen "
                                            + silent.lastSeen(),
                                    "deploy with --fix to replace the VM and keep its disk"));
        }
    }

    private void refuseDisks(Wish wish, Recorded.Instance row) {
        if (wish.isStarted()) {
            var refusals = new DiskRefusals(wish.text(), options.disks(), shared.problems());
            wish.disks().forEach(wished -> refusals.check(row.disk(wished.name()), wished));
        }
    }

    private void checkIgnored(Recorded.Instance row, Placement.Slot slot) {
        String request = request(row.id(), row.index());
        if (request != null && !request.equals(row.state())) {
            shared.problems()
                    .add(
                            new Problem(
                                    140021,
                                    null,
                                    "You are trying to change the state of the ignored instance '"
                                            + group.name()
                                            + "/"
                                            + row.id()
                                            + "'. This operation is not allowed. You need to"
                                            + " unignore it first.",
                                    null));
        }
        for (Desired.NetworkUse use : group.networks()) {
            String has = row.addresses().get(use.name());
            String listed = slot.statics().get(use.name());
            if (has != null && listed != null && !listed.equals(has)) {
                refuseIgnored(
                        "In instance group '"
                                + group.name()
                                + "', an attempt was made to remove a static ip that is used by an"
                                + " ignored instance. This operation is not allowed.");
            } else if (has == null
                    || (listed == null
                            && !book.network(use.network()).mayKeep(has, row.az(), false))) {
                refuseIgnored(
                        "In instance group '"
                                + group.name()
                                + "', which contains ignored vms, an attempt was made to modify"
                                + " the networks. This operation is not allowed.");
            }
        }
    }

    private void refuseIgnored(String message) {
        shared.problems().add(new Problem(190020, null, message, null));
    }
}
