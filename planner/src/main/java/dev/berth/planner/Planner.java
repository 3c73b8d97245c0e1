package dev.berth.planner;

import dev.berth.model.InstanceId;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.planner.Plan.Change;
import dev.berth.planner.Plan.GroupPlan;
import dev.berth.planner.Plan.InstancePlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Compares what is wished with what is recorded and seen, instance by instance, and says what has
 * to be done. Level-based: a plan made after a crash goes on from whatever was half done, and a
 * plan for what is as it should be has no step (R5). Stateless but for the source of new ids;
 * thread-safe if that is.
 */
public final class Planner {
    private final IdSource ids;

    public Planner(IdSource ids) {
        this.ids = ids;
    }

    /**
     * Throws {@link ProblemException} with every problem there is; nothing is to be done then.
     *
     * @param seen of every instance that has a VM; one left out counts as silent
     */
    public Plan plan(
            Desired desired,
            Map<InstanceId, Observation> seen,
            Recorded recorded,
            PlanOptions options) {
        return plan(desired, seen, recorded, options, new AddressBook(recorded));
    }

    /** With a book whose cost a test can read. */
    Plan plan(
            Desired desired,
            Map<InstanceId, Observation> seen,
            Recorded before,
            PlanOptions options,
            AddressBook book) {
        var problems = new ArrayList<Problem>();
        var warnings = new ArrayList<String>();
        var recorded =
                new Recorded(
                        Migration.of(desired, before.instances(), problems),
                        before.takenAddresses(),
                        before.tags());
        Map<String, List<Recorded.Instance>> rows =
                recorded.instances().stream()
                        .collect(Collectors.groupingBy(Recorded.Instance::group));
        boolean tagsChanged = !desired.tags().equals(recorded.tags());
        List<InstancePlan> unneeded =
                unneeded(desired, recorded, new Removal(seen, options, problems, warnings));
        var groups = new ArrayList<GroupPlan>();
        for (Desired.Group group : desired.groups()) {
            var planner =
                    new GroupPlanner(
                            group,
                            rows.getOrDefault(group.name(), List.of()),
                            tagsChanged,
                            new Removal(seen, options, problems, warnings),
                            book,
                            ids);
            groups.add(planner.plan());
        }
        warnOfIgnored(recorded, warnings);
        warnOfUnknown(groups, options, warnings);
        if (!problems.isEmpty()) {
            throw new ProblemException(problems);
        }
        return new Plan(unneeded, batches(desired, groups), List.copyOf(warnings));
    }

    private static List<InstancePlan> unneeded(
            Desired desired, Recorded recorded, Removal removal) {
        Set<String> wanted =
                desired.groups().stream().map(Desired.Group::name).collect(Collectors.toSet());
        var plans = new ArrayList<InstancePlan>();
        for (Recorded.Instance row : recorded.instances()) {
            if (!wanted.contains(row.group()) && removal.options().mayRemove()) {
                String whole =
                        desired.groups().isEmpty()
                                ? "deployment '" + desired.deployment() + "'"
                                : "instance group '" + row.group() + "'";
                removal.refuseIgnored(row, whole);
                plans.add(removal.plan(row, "the manifest has no group " + row.group()));
            }
        }
        return plans;
    }

    /** Serial groups stand alone; neighbours that are not share a batch. */
    private static List<List<GroupPlan>> batches(Desired desired, List<GroupPlan> groups) {
        var batches = new ArrayList<List<GroupPlan>>();
        boolean open = false;
        for (int i = 0; i < groups.size(); i++) {
            boolean serial = desired.groups().get(i).update().serial();
            if (serial || !open) {
                batches.add(new ArrayList<>());
            }
            batches.getLast().add(groups.get(i));
            open = !serial;
        }
        return batches;
    }

    private static void warnOfIgnored(Recorded recorded, List<String> warnings) {
        if (recorded.instances().stream().anyMatch(Recorded.Instance::ignored)) {
            warnings.add("You have ignored instances. They will not be changed.");
        }
    }

    private static void warnOfUnknown(
            List<GroupPlan> groups, PlanOptions options, List<String> warnings) {
        if (options.only() != null) {
            Set<InstanceId> wanted =
                    groups.stream()
                            .flatMap(g -> g.instances().stream())
                            .map(InstancePlan::id)
                            .collect(Collectors.toSet());
            options.only().stream()
                    .filter(id -> !wanted.contains(id))
                    .forEach(id ->
                            warnings.add(
                                    "Instance '"
                                            + id
                                            + "' doesn't exist or is not in the manifest;"
                                            + " it is left alone"));
        }
    }

    /** What groups and the plan as a whole share, and how an instance is deleted. */
    record Removal(
            Map<InstanceId, Observation> seen,
            PlanOptions options,
            List<Problem> problems,
            List<String> warnings) {
        Observation look(Recorded.Instance row) {
            if (row.vm() == null) {
                return new Observation.NoVm();
            }
            Observation observation = seen.get(row.id());
            return observation == null ? new Observation.Silent("never") : observation;
        }

        void refuseIgnored(Recorded.Instance row, String whole) {
            if (row.ignored()) {
                problems.add(
                        new Problem(
                                190021,
                                null,
                                "You are trying to delete "
                                        + whole
                                        + ", which contains ignored instance(s). Operation not"
                                        + " allowed.",
                                "unignore " + row.group() + "/" + row.id() + " first"));
            }
        }

        InstancePlan plan(Recorded.Instance row, String reason) {
            Observation look = look(row);
            var changes = new ArrayList<Change>();
            changes.add(new Change("obsolete", reason));
            if (look instanceof Observation.Silent silent) {
                warnings.add(
                        row.group()
                                + "/"
                                + row.id()
                                + ": its agent is silent, last seen "
                                + silent.lastSeen()
                                + "; the VM is deleted without stopping its containers first");
            }
            return new InstancePlan(
                    row.id(),
                    row.group(),
                    row.index(),
                    row.az(),
                    row.bootstrap(),
                    false,
                    "detached",
                    row.addresses(),
                    row.vm() == null ? Map.of() : row.vm().shape().networks(),
                    changes,
                    List.of(),
                    InstanceSteps.delete(row, look, options));
        }
    }
}
