package dev.berth.planner;

import dev.berth.model.InstanceId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What will be done, with reasons; the same plan serves {@code --dry-run}, the task log and the
 * executor.
 *
 * @param unneeded instances of groups that left the manifest
 * @param batches in order; groups of one batch may run at the same time
 * @param warnings for the task log
 */
public record Plan(
        List<InstancePlan> unneeded, List<List<GroupPlan>> batches, List<String> warnings) {
    /**
     * @param obsolete instances of this group to delete first
     * @param rollsBack whether a failed update puts the containers of before back
     * @param instances in update order, unchanged ones included
     */
    public record GroupPlan(
            String group,
            int canaries,
            int maxInFlight,
            WatchTime canaryWatch,
            WatchTime updateWatch,
            boolean rollsBack,
            List<InstancePlan> obsolete,
            List<InstancePlan> instances) {
        public List<InstancePlan> changed() {
            return instances.stream().filter(InstancePlan::hasWork).toList();
        }

        /**
         * What changes, in waves to go through one after another, {@link #maxInFlight} at a time:
         * the canaries, all of the first az that has changes; the rest of that az; az by az.
         */
        public List<List<InstancePlan>> waves() {
            var byAz = new LinkedHashMap<@Nullable String, List<InstancePlan>>();
            changed().forEach(i -> byAz.computeIfAbsent(i.az(), az -> new ArrayList<>()).add(i));
            var waves = new ArrayList<List<InstancePlan>>();
            for (List<InstancePlan> az : byAz.values()) {
                int split = waves.isEmpty() ? Math.min(canaries, az.size()) : 0;
                waves.add(az.subList(0, split));
                waves.add(az.subList(split, az.size()));
            }
            waves.removeIf(List::isEmpty);
            return waves;
        }
    }

    /** Milliseconds. */
    public record WatchTime(long minMillis, long maxMillis) {}

    /**
     * @param isNew the instance's row does not exist yet
     * @param addresses network name to address it has or is to reserve
     * @param networks settings per network, as CPI and agent get them
     * @param creation steps that may run ahead of the group's turn, when the instance has no VM at
     *     all
     * @param steps the rest, in the group's turn
     */
    public record InstancePlan(
            InstanceId id,
            String group,
            int index,
            @Nullable String az,
            boolean bootstrap,
            boolean isNew,
            String wishedState,
            Map<String, String> addresses,
            Map<String, Object> networks,
            List<Change> changes,
            List<Step> creation,
            List<Step> steps) {
        public boolean hasWork() {
            return !creation.isEmpty() || !steps.isEmpty();
        }

        /** {@code group/uuid}, as BOSH names instances. */
        public String name() {
            return group + "/" + id;
        }

        /** {@code group/uuid (index)}, as BOSH prints instances. */
        public String text() {
            return name() + " (" + index + ")";
        }
    }

    /**
     * Why an instance is touched.
     *
     * @param kind BOSH's change names: {@code dirty}, {@code recreate}, {@code stemcell}, {@code
     *     env}, {@code network}, {@code cloud_properties}, {@code persistent_disk}, {@code
     *     configuration}, {@code state}, {@code tags}; Berth's own: {@code new}, {@code obsolete},
     *     {@code vm}, {@code renamed}, {@code az}
     * @param reason a sentence for people
     */
    public record Change(String kind, String reason) {}

    public Stream<InstancePlan> all() {
        return Stream.concat(
                unneeded.stream(),
                batches.stream()
                        .flatMap(List::stream)
                        .flatMap(
                                g -> Stream.concat(g.obsolete().stream(), g.instances().stream())));
    }

    public boolean isEmpty() {
        return all().noneMatch(InstancePlan::hasWork);
    }
}
