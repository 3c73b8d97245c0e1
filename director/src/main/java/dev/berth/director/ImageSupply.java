package dev.berth.director;

import dev.berth.model.ImageName;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.model.RegistryLogin;
import dev.berth.planner.Plan;
import dev.berth.planner.Step;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that the environment's registry has what the VMs of a plan are about to pull, before
 * anything is stopped for it. Thread-safe.
 */
final class ImageSupply {
    private static final int AT_ONCE = 3;
    private static final long PROGRESS_NANOS = 5_000_000_000L;

    private final @Nullable OutsideImages outside;
    private final Parallel parallel;

    ImageSupply(@Nullable OutsideImages outside, Parallel parallel) {
        this.outside = outside;
        this.parallel = parallel;
    }

    /**
     * @param uses pinned containers of the deployment
     * @throws ProblemException naming each container whose image cannot be had
     */
    void bring(TaskContext task, Plan plan, List<ImagePins.Use> uses, List<RegistryLogin> logins)
            throws Exception {
        List<ImagePins.Use> missing = missing(plan, uses);
        if (missing.isEmpty()) {
            return;
        }
        TaskLog.Stage stage = task.log().stage("Preparing images", List.of(), missing.size());
        List<Problem> problems = Collections.synchronizedList(new ArrayList<>());
        parallel.forEach(
                missing,
                AT_ONCE,
                use -> {
                    try {
                        stage.step(
                                use.container().name() + " (" + use.reference() + ")",
                                step -> copy(task, use, logins, step));
                    } catch (ProblemException e) {
                        problems.addAll(e.problems());
                    }
                });
        if (!problems.isEmpty()) {
            throw new ProblemException(List.copyOf(problems));
        }
    }

    private void copy(
            TaskContext task, ImagePins.Use use, List<RegistryLogin> logins, TaskLog.StepLog step)
            throws InterruptedException {
        String digest = use.container().image().digest();
        if (outside == null || digest == null) {
            return;
        }
        try {
            outside.bring(ImagePins.wanted(use, logins), digest, told(task, step));
        } catch (IOException e) {
            throw new ProblemException(
                    List.of(ImagePins.problem(use, String.valueOf(e.getMessage()), logins)));
        }
    }

    /** Now and then a line, and a cancelled task ends the copy. */
    private static Consumer<String> told(TaskContext task, TaskLog.StepLog step) {
        long began = System.nanoTime();
        long[] next = {began + PROGRESS_NANOS};
        return words -> {
            task.checkCancelled();
            if (System.nanoTime() >= next[0]) {
                next[0] = System.nanoTime() + PROGRESS_NANOS;
                step.progress(50, words);
            }
        };
    }

    /** Of instances that will pull, and not in the registry; one use for each image. */
    private List<ImagePins.Use> missing(Plan plan, List<ImagePins.Use> uses)
            throws InterruptedException {
        OutsideImages from = outside;
        if (from == null) {
            return List.of();
        }
        Set<String> groups =
                plan.all()
                        .filter(i -> i.steps().stream().anyMatch(s -> s instanceof Step.Prepare))
                        .map(Plan.InstancePlan::group)
                        .collect(Collectors.toSet());
        var wanted = new LinkedHashMap<String, ImagePins.Use>();
        for (ImagePins.Use use : uses) {
            String source = use.container().image().source();
            if (source != null && groups.contains(use.group())) {
                wanted.putIfAbsent(source + "@" + use.container().image().digest(), use);
            }
        }
        var missing = new ArrayList<ImagePins.Use>();
        for (ImagePins.Use use : wanted.values()) {
            String digest = use.container().image().digest();
            try {
                if (digest != null && !from.has(ImageName.parse(use.reference()), digest)) {
                    missing.add(use);
                }
            } catch (IOException e) {
                // VMs may have it still; those that have not will say so themselves
                System.getLogger(ImageSupply.class.getName())
                        .log(
                                System.Logger.Level.WARNING,
                                "the environment''s registry cannot be asked: {0}",
                                e.getMessage());
                return List.of();
            }
        }
        return missing;
    }
}
