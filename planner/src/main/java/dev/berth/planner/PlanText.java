package dev.berth.planner;

import dev.berth.planner.Plan.GroupPlan;
import dev.berth.planner.Plan.InstancePlan;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A plan as lines for people: the dry run and the task log show the same. */
public final class PlanText {
    private PlanText() {}

    /** One line without end for each; never holds a secret. */
    public static List<String> lines(Plan plan) {
        var lines = new ArrayList<String>();
        plan.warnings().forEach(warning -> lines.add("Warning: " + warning));
        if (plan.isEmpty()) {
            lines.add("Nothing to do");
            return lines;
        }
        if (!plan.unneeded().isEmpty()) {
            lines.add("Instances of groups that left the manifest");
            plan.unneeded().forEach(instance -> add(lines, instance));
        }
        for (List<GroupPlan> batch : plan.batches()) {
            for (GroupPlan group : batch) {
                add(lines, group);
            }
        }
        lines.add(summary(plan));
        return lines;
    }

    /** {@code 1 to create, 2 to update, 0 to delete, 7 unchanged}. */
    public static String summary(Plan plan) {
        long created = plan.all().filter(InstancePlan::isNew).count();
        long deleted =
                plan.all()
                        .filter(i ->
                                i.steps().stream().anyMatch(Step.RemoveInstance.class::isInstance))
                        .count();
        long worked = plan.all().filter(InstancePlan::hasWork).count();
        return created
                + " to create, "
                + (worked - created - deleted)
                + " to update, "
                + deleted
                + " to delete, "
                + (plan.all().count() - worked)
                + " unchanged";
    }

    private static void add(List<String> lines, GroupPlan group) {
        List<InstancePlan> changed = group.changed();
        if (changed.isEmpty() && group.obsolete().isEmpty()) {
            return;
        }
        lines.add(
                "Group "
                        + group.group()
                        + ": "
                        + changed.size()
                        + " of "
                        + group.instances().size()
                        + " change, "
                        + (group.canaries() == 0
                                ? ""
                                : group.canaries() + " first as canary, then ")
                        + group.maxInFlight()
                        + " at a time");
        group.obsolete().forEach(instance -> add(lines, instance));
        changed.forEach(instance -> add(lines, instance));
    }

    private static void add(List<String> lines, InstancePlan instance) {
        lines.add("  " + instance.text() + (instance.az() == null ? "" : " in " + instance.az()));
        instance.changes()
                .forEach(change -> lines.add("    " + change.kind() + ": " + change.reason()));
        lines.add(
                "    → "
                        + Stream.concat(instance.creation().stream(), instance.steps().stream())
                                .map(PlanText::step)
                                .collect(Collectors.joining(", ")));
    }

    /** A step with what it is about. */
    public static String step(Step step) {
        return switch (step) {
            case Step.CreateVm s -> "create vm from " + s.shape().stemcell();
            case Step.CreateDisk s ->
                    "create " + s.disk().text() + " of " + s.disk().sizeMb() + " MB";
            case Step.GrowDisk s ->
                    "grow disk "
                            + s.disk()
                            + " to "
                            + s.to().sizeMb()
                            + " MB"
                            + (s.attached() ? " in place" : "");
            case Step.CopyDisk s ->
                    s.instead()
                            ? "copy " + s.to().text() + " where the cloud cannot grow it"
                            : "copy " + s.to().text() + " to one of " + s.to().sizeMb() + " MB";
            case Step.UnmountDisk s -> "unmount disk " + s.disk();
            case Step.DetachDisk s -> "detach disk " + s.disk() + " from " + s.vm();
            case Step.OrphanDisk s -> "orphan disk " + s.disk();
            case Step.DeleteVm s -> "delete vm " + s.vm();
            case Step.StartVm s -> "start vm " + s.vm();
            case Step.RecordState s -> "record " + s.state();
            case Step.WelcomeAgent s -> s.verb();
            case Step.AttachDisk s -> "attach " + DiskNames.text(s.disk());
            case Step.MountDisk s -> "mount " + DiskNames.text(s.disk());
            case Step.RenameInstance s -> "rename to " + s.group() + "/" + s.index();
            case Step.MoveInstance s -> "move to " + (s.az() == null ? "no az" : s.az());
            case Step.Prepare s -> s.verb();
            case Step.StopContainers s -> s.verb();
            case Step.Apply s -> s.verb();
            case Step.StartContainers s -> s.verb();
            case Step.AwaitRunning s -> s.verb();
            case Step.SetMetadata s -> s.verb();
            case Step.RemoveInstance s -> s.verb();
        };
    }
}
