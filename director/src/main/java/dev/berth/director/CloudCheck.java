package dev.berth.director;

import dev.berth.director.CloudProblem.Resolution;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code cloud-check} as tasks: a scan that keeps what the doctor finds as problems, and one that
 * resolves them as a person said. The deployment's lock is held by the task. Thread-safe.
 */
final class CloudCheck {
    static final String SCAN = "cck_scan";
    static final String APPLY = "cck_apply";

    private final Hands hands;
    private final DoctorLook look;
    private final CloudProblems problems;
    private final CloudCheckActs acts;

    CloudCheck(Hands hands, Converge converge) {
        this.hands = hands;
        this.look = new DoctorLook(hands);
        this.problems = new CloudProblems(hands.store());
        this.acts = new CloudCheckActs(hands, converge);
    }

    TaskJob scan(Map<String, Object> payload) {
        String deployment = Fields.of(payload, "payload").string("deployment");
        return task -> {
            new Settlement(hands).settle(task.id(), deployment);
            Facts facts = look.look(deployment, Set.of()); // networks are no problem of an instance
            List<CloudProblem> found = problems.replace(deployment, facts, Diagnosis.of(facts));
            tell(task, "Scanning " + facts.vms().size() + " VMs", found, true, facts.vms().size());
            tell(
                    task,
                    "Scanning " + facts.disks().size() + " persistent disks",
                    found,
                    false,
                    facts.disks().size());
            return "scan complete";
        };
    }

    private static void tell(
            TaskContext task, String stage, List<CloudProblem> found, boolean vms, int all)
            throws Exception {
        Map<String, Integer> counts = new TreeMap<>();
        for (CloudProblem problem : found) {
            if (problem.isOfVm() == vms) {
                counts.merge(problem.type().text().replace('_', ' '), 1, Integer::sum);
            }
        }
        int bad = counts.values().stream().mapToInt(i -> i).sum();
        var words = new ArrayList<String>(List.of(Math.max(0, all - bad) + " OK"));
        counts.forEach((type, count) -> words.add(count + " " + type));
        task.log().stage(stage, List.of(), 1).step(String.join(", ", words), step -> {});
    }

    TaskJob apply(Map<String, Object> payload) {
        Fields wish = Fields.of(payload, "payload");
        String deployment = wish.string("deployment");
        Map<String, Object> said = wish.object("resolutions").tree();
        return task -> {
            List<CloudProblem> open = problems.open(deployment);
            Map<CloudProblem, Resolution> chosen = chosen(open, said);
            var failures = new ArrayList<String>();
            Set<Long> resolved = new LinkedHashSet<>();
            TaskLog.Stage stage = task.log().stage("Applying problem resolutions", List.of(), 1);
            stage.step(
                    chosen.size() + " problems",
                    step -> acts.apply(task, deployment, chosen, resolved, failures));
            problems.resolved(deployment, resolved);
            if (!failures.isEmpty()) {
                throw new ProblemException(
                        Failures.UNCLASSIFIED,
                        resolved.size() + " resolved; " + String.join("; ", failures));
            }
            return resolved.size() + " resolved";
        };
    }

    /** Every one must be open and have that resolution; nothing is done before all are known. */
    static Map<CloudProblem, Resolution> chosen(List<CloudProblem> open, Map<String, Object> said) {
        var chosen = new LinkedHashMap<CloudProblem, Resolution>();
        var wrong = new ArrayList<String>();
        for (Map.Entry<String, Object> entry : said.entrySet()) {
            CloudProblem problem =
                    open.stream()
                            .filter(p -> String.valueOf(p.id()).equals(entry.getKey()))
                            .findFirst()
                            .orElse(null);
            if (problem == null) {
                wrong.add("problem " + entry.getKey() + " is not open: scan again");
                continue;
            }
            Resolution resolution = resolution(problem, entry.getValue());
            if (resolution == null) {
                wrong.add(
                        "problem "
                                + problem.id()
                                + " ("
                                + problem.type().text()
                                + ") has no resolution '"
                                + entry.getValue()
                                + "'; it has "
                                + problem.type().resolutions.stream()
                                        .map(Resolution::text)
                                        .toList());
            } else {
                chosen.put(problem, resolution);
            }
        }
        if (!wrong.isEmpty()) {
            throw new ProblemException(Failures.UNCLASSIFIED, String.join("; ", wrong));
        }
        return chosen;
    }

    private static @Nullable Resolution resolution(CloudProblem problem, @Nullable Object name) {
        if (name == null) {
            return problem.type().automatic;
        }
        return problem.type().resolutions.stream()
                .filter(r -> r.text().equals(name))
                .findFirst()
                .orElse(null);
    }

    /** The payload of a repair of some instances. */
    static Map<String, Object> repair(String deployment, List<CloudProblem> of, String silent) {
        var jobs = new LinkedHashMap<String, Object>();
        for (CloudProblem problem : of) {
            var ids = new LinkedHashSet<Object>();
            if (jobs.get(problem.group()) instanceof List<?> known) {
                ids.addAll(known);
            }
            ids.add(problem.instance().value());
            jobs.put(problem.group(), List.copyOf(ids));
        }
        return Json.of("deployment", deployment, "jobs", jobs, "silent", silent);
    }
}
