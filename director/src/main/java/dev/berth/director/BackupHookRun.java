package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.model.BackupHooks;
import dev.berth.model.Fields;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.model.YamlDocument;
import dev.berth.store.Rows;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The commands of {@code x-berth.backup} in the containers of one instance, as the manifest
 * deployed last has them.
 */
final class BackupHookRun {
    private static final Duration MARGIN = Duration.ofSeconds(20);
    private static final int LAST_LINES = 10;
    private static final int LONGEST = 2000;

    private final Hands hands;
    private final TaskContext task;
    private final Rows.Instance instance;
    private final Map<String, BackupHooks> hooks;

    /** Containers whose {@code pre} was begun: their {@code post} is run, whatever came of it. */
    private final List<String> begun = new ArrayList<>();

    BackupHookRun(Hands hands, TaskContext task, Rows.Instance instance) {
        this.hands = hands;
        this.task = task;
        this.instance = instance;
        this.hooks = of(hands, instance);
    }

    /** By container; only those that say something. */
    static Map<String, BackupHooks> of(Hands hands, Rows.Instance instance) {
        String manifest =
                hands.store()
                        .read(s -> s.deployment(instance.deployment()))
                        .map(Rows.Deployment::manifest)
                        .orElse("");
        return ofGroup(manifest, instance.group());
    }

    static Map<String, BackupHooks> ofGroup(String manifest, String group) {
        var found = new LinkedHashMap<String, BackupHooks>();
        if (manifest.isBlank()) {
            return found;
        }
        var root = Fields.of(YamlDocument.parse(manifest).tree(), "manifest");
        for (Fields g : root.objects("instance_groups")) {
            if (!g.string("name", "").equals(group)) {
                continue;
            }
            containers(g)
                    .forEach(c -> {
                        BackupHooks hooks = BackupHooks.of(c);
                        if (!hooks.equals(BackupHooks.NONE)) {
                            found.put(c.string("name", ""), hooks);
                        }
                    });
        }
        return found;
    }

    /** In both notations that a manifest has for containers. */
    private static List<Fields> containers(Fields group) {
        var all = new ArrayList<>(group.objects("containers"));
        for (Fields job : group.objects("jobs")) {
            if (job.object("properties").has("containers")) {
                all.addAll(job.object("properties").objects("containers"));
            }
        }
        return all;
    }

    boolean isEmpty() {
        return hooks.isEmpty();
    }

    /**
     * All containers, in the order of the manifest.
     *
     * @throws ProblemException one failed; with the last lines it printed
     */
    void pre(Rows.Vm vm) {
        hooks.forEach((container, of) -> {
            begun.add(container);
            of.pre().forEach(command -> run(vm, container, "pre", command, of.limit()));
        });
    }

    /** In reverse order; what fails is told and keeps none of the others from their turn. */
    List<String> post(Rows.Vm vm) {
        var failures = new ArrayList<String>();
        for (String container : begun.reversed()) {
            BackupHooks of = Objects.requireNonNull(hooks.get(container));
            for (List<String> command : of.post()) {
                try {
                    run(vm, container, "post", command, of.limit());
                } catch (ProblemException | AgentException e) {
                    failures.add(Failures.message(e));
                    task.log().warning(Failures.message(e));
                }
            }
        }
        begun.clear();
        return failures;
    }

    void run(Rows.Vm vm, String container, String which, List<String> command, Duration limit) {
        String what =
                instance.group()
                        + "/"
                        + instance.id()
                        + ": x-berth.backup."
                        + which
                        + " of container '"
                        + container
                        + "'";
        Fields answer;
        try {
            answer =
                    Fields.of(
                            hands.agents()
                                    .call(
                                            vm.agent(),
                                            "run_in_container",
                                            List.of(container, command, limit.toSeconds()),
                                            limit.plus(MARGIN)),
                            "answer");
        } catch (AgentException e) {
            throw new ProblemException(450001, what + ": " + e.getMessage());
        }
        long code = answer.integer("exit_code", -1);
        if (code != 0) {
            String said = answer.string("stdout", "") + "\n" + answer.string("stderr", "");
            throw new ProblemException(
                    List.of(
                            new Problem(
                                    450001,
                                    what,
                                    "the command ended with status " + code + lastLines(said),
                                    "run it with: berth exec")));
        }
    }

    private static String lastLines(String said) {
        List<String> lines = said.lines().filter(l -> !l.isBlank()).toList();
        List<String> last = lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
        String text = String.join("\n", last);
        return text.isEmpty() ? "" : ":\n" + text.substring(Math.max(0, text.length() - LONGEST));
    }
}
