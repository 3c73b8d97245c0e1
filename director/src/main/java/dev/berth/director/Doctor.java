package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code berth doctor} as tasks: one that looks and takes no lock, and one that repairs under the
 * locks of the deployments it touches. What a repair might cost is said with each finding: those
 * that could lose data or stop something need the person's word for their subject. Thread-safe.
 *
 * <p>A result line each: the findings, and in the end {@code {"findings": N, "repaired": N}}.
 */
final class Doctor {
    static final String LOOK = "doctor";
    static final String FIX = "doctor_fix";

    private final Hands hands;
    private final DoctorLook look;
    private final DoctorRepairs repairs;
    private final RecordKeeper keeper;
    private final Supplier<EnvironmentHealth> health;

    Doctor(
            Hands hands,
            Converge converge,
            RecordKeeper keeper,
            Supplier<EnvironmentHealth> health) {
        this.hands = hands;
        this.look = new DoctorLook(hands);
        this.keeper = keeper;
        this.repairs = new DoctorRepairs(hands, converge, keeper);
        this.health = health;
    }

    /** Things of the environment that are not of one deployment: store, bus, registry, keys. */
    @FunctionalInterface
    public interface EnvironmentHealth {
        EnvironmentHealth NONE = List::of;

        List<Finding> look();

        /** Cids of networks that it needs, whether a VM is on them or not. */
        default Set<String> networks() {
            return Set.of();
        }
    }

    TaskJob job(Map<String, Object> payload) {
        Fields wish = Fields.of(payload, "payload");
        String deployment = wish.optionalString("deployment");
        boolean fix = wish.flag("fix", false);
        Set<String> named = Set.copyOf(wish.strings("yes"));
        return task -> {
            List<Finding> findings = examine(deployment);
            if (!fix) {
                findings.forEach(f -> task.log().result(Json.write(f.toTree())));
                return end(task, findings.size(), 0);
            }
            return repair(task, deployment, findings, named);
        };
    }

    private List<Finding> examine(@Nullable String deployment) throws Exception {
        Facts facts = look.look(deployment, health.get().networks());
        var all = new ArrayList<>(Diagnosis.of(facts));
        all.addAll(NetworkDiagnosis.of(facts));
        if (deployment == null) {
            all.addAll(health.get().look());
            all.addAll(journal());
        }
        all.addAll(records(deployment));
        return all;
    }

    /** Without its record an instance is rebuilt from labels alone, when the store is lost. */
    private List<Finding> records(@Nullable String deployment) {
        return hands.store()
                .read(s ->
                        s.deployments().stream()
                                .map(Rows.Deployment::name)
                                .filter(name -> deployment == null || name.equals(deployment))
                                .flatMap(name ->
                                        keeper.behind(s, name).stream()
                                                .map(vm ->
                                                        new Finding(
                                                                "record-old",
                                                                vm.cid().value(),
                                                                name,
                                                                "",
                                                                "its agent keeps the newest record",
                                                                "it has an older one, or none",
                                                                new Finding.Repair.KeepRecord(
                                                                        name))))
                                .toList());
    }

    /** An intent that no running task will settle waits for the next deploy or start. */
    private List<Finding> journal() {
        return hands.store()
                .read(s ->
                        s.openIntents(null).stream()
                                .filter(i ->
                                        s.task(i.task())
                                                .filter(t -> t.finishedAt() == null)
                                                .isEmpty())
                                .map(i ->
                                        new Finding(
                                                "intent-open",
                                                i.id().value(),
                                                "",
                                                "",
                                                "settled",
                                                "'"
                                                        + i.kind()
                                                        + "' of task "
                                                        + i.task()
                                                        + " is open",
                                                new Finding.Repair.ByHand(
                                                        "deploy again, or start the director anew:"
                                                                + " it is settled by looking")))
                                .toList());
    }

    private String end(TaskContext task, int findings, int repaired) {
        task.log().result(Json.write(Json.of("findings", findings, "repaired", repaired)));
        return findings == 0
                ? "nothing is wrong"
                : findings + " findings" + (repaired == 0 ? "" : ", " + repaired + " repaired");
    }

    // --- repairs

    private String repair(
            TaskContext task, @Nullable String deployment, List<Finding> first, Set<String> named)
            throws Exception {
        int repaired = 0;
        var names = new TreeSet<String>();
        first.forEach(f -> names.add(f.deployment()));
        var left = new TreeMap<String, Map<String, Object>>();
        for (String name : names) {
            if (name.isEmpty()) {
                repaired += repair(task, first, name, named, left);
            } else {
                try (Locks.Held ignored = task.lock("deployment", List.of(name))) {
                    // Under the lock nothing moves any more: look again.
                    repaired += repair(task, examine(name), name, named, left);
                }
            }
        }
        left.values().forEach(line -> task.log().result(Json.write(line)));
        return end(task, left.size(), repaired);
    }

    private int repair(
            TaskContext task,
            List<Finding> findings,
            String deployment,
            Set<String> named,
            Map<String, Map<String, Object>> outcomes)
            throws Exception {
        List<Finding> own =
                findings.stream().filter(f -> f.deployment().equals(deployment)).toList();
        List<Finding> chosen = own.stream().filter(f -> isChosen(f, named)).toList();
        TaskLog.Stage stage =
                task.log()
                        .stage(
                                "Repairing",
                                deployment.isEmpty() ? List.of() : List.of(deployment),
                                chosen.size());
        int repaired = 0;
        for (Finding finding : own) {
            task.checkCancelled();
            Map<String, Object> line = finding.toTree();
            if (chosen.contains(finding)) {
                String outcome = make(task, stage, finding);
                line.put("outcome", outcome);
                line.put("repaired", !outcome.startsWith("failed"));
                repaired += outcome.startsWith("failed") ? 0 : 1;
            }
            outcomes.put(
                    finding.deployment() + "\n" + finding.kind() + "\n" + finding.subject(), line);
        }
        return repaired;
    }

    private static boolean isChosen(Finding finding, Set<String> named) {
        return !(finding.repair() instanceof Finding.Repair.ByHand)
                && (!finding.repair().needsYes() || named.contains(finding.subject()));
    }

    /** One that fails is told of; the others are repaired all the same. */
    private String make(TaskContext task, TaskLog.Stage stage, Finding finding) throws Exception {
        var said = new java.util.concurrent.atomic.AtomicReference<String>("");
        try {
            stage.step(
                    finding.kind() + " " + finding.subject(),
                    step ->
                            hands.trail()
                                    .around(
                                            task,
                                            new AuditTrail.Act(
                                                    "repair",
                                                    finding.kind(),
                                                    finding.subject(),
                                                    finding.instance().isEmpty()
                                                            ? null
                                                            : finding.instance(),
                                                    Map.of("repair", finding.repair().words())),
                                            () -> {
                                                said.set(repairs.make(task, finding));
                                                return finding.subject();
                                            }));
            return Objects.requireNonNull(said.get());
        } catch (DirectorStopping | TaskCancelled | InterruptedException e) {
            throw e;
        } catch (Exception e) {
            task.log().debug("repair of " + finding.subject() + " failed", e);
            return "failed: " + Failures.message(e);
        }
    }
}
