package dev.berth.planner;

import dev.berth.model.MigratedFrom;
import dev.berth.model.Problem;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Gives the instances of groups that were renamed or merged to the groups that take them over. */
final class Migration {
    private static final int WRONG = 190018;

    private final Desired desired;
    private final List<Problem> problems;
    private final List<Recorded.Instance> rows;

    private Migration(Desired desired, List<Recorded.Instance> rows, List<Problem> problems) {
        this.desired = desired;
        this.rows = new ArrayList<>(rows);
        this.problems = problems;
    }

    /** All instances, those that are taken over with their new group, index and az. */
    static List<Recorded.Instance> of(
            Desired desired, List<Recorded.Instance> rows, List<Problem> problems) {
        if (desired.groups().stream().allMatch(g -> g.migratedFrom().isEmpty())) {
            return rows;
        }
        var migration = new Migration(desired, rows, problems);
        migration.run();
        return List.copyOf(migration.rows);
    }

    private void run() {
        for (Desired.Group group : desired.groups()) {
            Set<Integer> used =
                    rows.stream()
                            .filter(r -> r.group().equals(group.name()))
                            .map(Recorded.Instance::index)
                            .collect(Collectors.toCollection(HashSet::new));
            for (MigratedFrom from : group.migratedFrom()) {
                List<Recorded.Instance> mine =
                        rows.stream()
                                .filter(r -> r.group().equals(from.group()))
                                .sorted(Comparator.comparing(Recorded.Instance::index))
                                .toList();
                for (Recorded.Instance row : mine) {
                    takeOver(row, group, from, used);
                }
            }
        }
    }

    private void takeOver(
            Recorded.Instance row, Desired.Group group, MigratedFrom from, Set<Integer> used) {
        boolean same = row.group().equals(group.name());
        String az = row.az() == null ? from.az() : row.az();
        if (row.ignored() || same && java.util.Objects.equals(az, row.az())) {
            return;
        }
        if (refused(row, group, from, az)) {
            return;
        }
        int index = row.index();
        if (!same) {
            index = 0;
            while (!used.add(index)) {
                index++;
            }
        }
        rows.set(rows.indexOf(row), row.takenOver(group.name(), index, az));
    }

    private boolean refused(
            Recorded.Instance row, Desired.Group group, MigratedFrom from, @Nullable String az) {
        String says =
                "Failed to migrate instance group '"
                        + from.group()
                        + "' to '"
                        + group.name()
                        + "', ";
        if (!group.azs().isEmpty() && az == null) {
            problems.add(
                    new Problem(
                            WRONG,
                            null,
                            says + "availability zone of '" + from.group() + "' is not specified",
                            "say in which az its instances live: migrated_from: [{name: "
                                    + from.group()
                                    + ", az: "
                                    + group.azs().getFirst()
                                    + "}]"));
            return true;
        }
        if (from.az() != null && !from.az().equals(az)) {
            problems.add(
                    new Problem(
                            WRONG,
                            null,
                            says
                                    + "'"
                                    + from.group()
                                    + "' belongs to availability zone '"
                                    + az
                                    + "' and manifest specifies '"
                                    + from.az()
                                    + "'",
                            null));
            return true;
        }
        return false;
    }
}
