package dev.berth.agent;

import static dev.berth.agent.Action.aside;
import static dev.berth.agent.Action.background;
import static dev.berth.agent.Action.cancellable;
import static dev.berth.agent.Action.inOrder;
import static dev.berth.agent.Action.look;

import dev.berth.model.ContainerSpec;
import dev.berth.model.DaemonSettings;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.ApplySpec;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/** What runs on this VM: prepare, apply, start, stop, scripts, and each container by itself. */
final class InstanceActions {
    /** The director gives up waiting after this as well. */
    private static final Duration STOP_LIMIT = Duration.ofMinutes(5);

    private static final int EXEC_SECONDS = 40;
    private static final int MOST_EXEC_SECONDS = 240;

    /** Of each stream; both must fit into one message of a mebibyte. */
    private static final int EXEC_OUTPUT = 400 * 1024;

    private static final int MOST_LOG_LINES = 10_000;

    private final InstanceSpec spec;
    private final Workload workload;
    private final Networks networks;
    private final Scripts scripts;
    private final Bus bus;
    private final Heart heart;
    private final StateReport report;

    InstanceActions(
            InstanceSpec spec,
            Workload workload,
            Networks networks,
            Scripts scripts,
            Bus bus,
            Heart heart,
            StateReport report) {
        this.spec = spec;
        this.workload = workload;
        this.networks = networks;
        this.scripts = scripts;
        this.bus = bus;
        this.heart = heart;
        this.report = report;
    }

    /** Containers, and the disks that may be why. */
    private Map<String, Object> explained(String container) {
        var tree = new LinkedHashMap<>(workload.explain(container));
        tree.put("disk_report", report.disks());
        return tree;
    }

    List<Action> all() {
        return List.of(
                look("get_state", 0, (a, call) -> report.state(a.string(0).equals("full"))),
                background("prepare", 1, (a, call) -> prepare(a)),
                background("apply", 1, (a, call) -> apply(a)),
                background("roll_back", 0, (a, call) -> rollBack()),
                inOrder("start", 0, (a, call) -> start()),
                background("stop", 0, (a, call) -> stop()),
                cancellable("drain", 1, this::drain),
                background("run_script", 1, (a, call) -> runScript(a, call)),
                background(
                        "restart_container",
                        1,
                        (a, call) -> each(a, workload::restartContainer, "restarted")),
                background(
                        "stop_container",
                        1,
                        (a, call) -> each(a, workload::stopContainer, "stopped")),
                background(
                        "start_container",
                        1,
                        (a, call) -> each(a, workload::startContainer, "started")),
                look("container_logs", 1, (a, call) -> logs(a)),
                look("explain_containers", 0, (a, call) -> explained(a.string(0))),
                aside("run_in_container", 2, (a, call) -> runInContainer(a)));
    }

    /** All of the last lines as one text; with a cursor, even an empty one, page by page. */
    private Object logs(Arguments a) {
        int most = Math.clamp(a.integer(1, 200), 1, MOST_LOG_LINES);
        return a.at(2) == null
                ? workload.logs(a.string(0), most)
                : workload.readLogs(a.string(0), a.string(2), most);
    }

    private static List<ContainerSpec> containers(ApplySpec wish) {
        List<ContainerSpec> containers = wish.containers();
        return containers == null ? List.of() : containers;
    }

    private Object prepare(Arguments a) {
        ApplySpec wish = ApplySpec.fromTree(a.object(0, "apply spec").tree());
        String daemon =
                wish.containers() == null
                        ? ""
                        : workload.prepareDaemon(wish.daemon(), wish.index());
        workload.prepare(containers(wish));
        return answer("prepared", daemon);
    }

    /** BOSH's word alone, or with what became of the Docker daemon's settings. */
    private static Object answer(String word, String daemon) {
        return daemon.isEmpty() ? word : Json.of("answer", word, "daemon", daemon);
    }

    /** The first, partial apply only says which instance this is; a full one carries containers. */
    private Object apply(Arguments a) {
        Fields raw = a.object(0, "apply spec");
        ApplySpec wish = ApplySpec.fromTree(raw.tree());
        var resolved = new LinkedHashMap<>(raw.tree());
        resolved.put("networks", networks.resolve(wish.networks()));
        Fields applied = Fields.of(resolved, "apply spec");
        String daemon =
                wish.containers() == null
                        ? ""
                        : workload.apply(
                                containers(wish),
                                wish.daemon(),
                                wish.index(),
                                Json.write(mark(applied, wish)));
        spec.store(applied);
        heart.beatSoon();
        return answer("applied", daemon);
    }

    /** Berth's own action: the containers, and the spec that they belong to, of before. */
    private Object rollBack() {
        String mark =
                workload.before()
                        .filter(text -> !text.isEmpty())
                        .orElseThrow(() ->
                                new ActionException(
                                        "there is nothing to go back to: no spec ran here yet"));
        Fields before = Fields.of(Json.parse(mark), "spec of before");
        String daemon =
                workload.rollBack(
                        DaemonSettings.fromTree(before.object("daemon").tree()),
                        (int) before.integer("index"));
        spec.store(before.object("spec"));
        heart.beatSoon();
        return answer("rolled back", daemon);
    }

    /** What beside the containers belongs to a wish, so that all of it can come back. */
    private static Map<String, Object> mark(Fields applied, ApplySpec wish) {
        return Json.of(
                "spec",
                InstanceSpec.reduced(applied),
                "daemon",
                wish.daemon().toTree(),
                "index",
                wish.index());
    }

    private Object start() {
        workload.start();
        heart.beatSoon();
        return "started";
    }

    private Object stop() {
        workload.stop(STOP_LIMIT);
        heart.beatNow();
        return "stopped";
    }

    private Object drain(Arguments a, AgentCall call) {
        String type = a.string(0);
        Fields next = a.object(1, "apply spec");
        var environment = new LinkedHashMap<String, String>();
        environment.put("BOSH_JOB_STATE", diskState(spec.get()));
        if (!next.tree().isEmpty()) {
            environment.put("BOSH_JOB_NEXT_STATE", diskState(next));
        }
        switch (type) {
            case "shutdown" -> {
                bus.announceShutdown();
                scripts.drainAll("job_shutdown", "hash_unchanged", List.of(), environment, call);
            }
            case "update" -> {
                if (next.tree().isEmpty()) {
                    throw new ActionException("Drain update requires new spec");
                }
                scripts.drainAll(
                        spec.jobs().isEmpty() ? "job_new" : "job_changed",
                        hashChange(next),
                        changedPackages(next),
                        environment,
                        call);
            }
            default -> throw new ActionException("Unknown drain type " + type);
        }
        return 0;
    }

    private static String diskState(Fields spec) {
        return Json.write(Json.of("persistent_disk", spec.integer("persistent_disk", 0)));
    }

    private String hashChange(Fields next) {
        String before = spec.get().string("configuration_hash", "");
        if (before.isEmpty()) {
            return "hash_new";
        }
        return before.equals(next.string("configuration_hash", ""))
                ? "hash_unchanged"
                : "hash_changed";
    }

    private List<String> changedPackages(Fields next) {
        Fields before = spec.get().object("packages");
        var changed = new TreeSet<String>();
        next.object("packages")
                .tree()
                .forEach((name, value) -> {
                    Object digest = Fields.of(value, "package " + name).tree().get("sha1");
                    if (!before.has(name)
                            || !Objects.equals(digest, before.object(name).tree().get("sha1"))) {
                        changed.add(name);
                    }
                });
        return List.copyOf(changed);
    }

    private Object runScript(Arguments a, AgentCall call) {
        scripts.runAll(a.string(0), a.object(1, "options").stringMap("env"), call);
        return Map.of();
    }

    private static Object each(
            Arguments a, java.util.function.Consumer<String> act, String answer) {
        act.accept(a.string(0));
        return answer;
    }

    private Object runInContainer(Arguments a) {
        Duration limit =
                Duration.ofSeconds(Math.clamp(a.integer(2, EXEC_SECONDS), 1, MOST_EXEC_SECONDS));
        Workload.Output output = workload.run(a.string(0), a.strings(1), limit);
        String stdout = WireText.first(output.stdout(), EXEC_OUTPUT);
        String stderr = WireText.first(output.stderr(), EXEC_OUTPUT);
        return Json.of(
                "stdout",
                stdout,
                "stderr",
                stderr,
                "exit_code",
                output.exitCode(),
                "truncated",
                stdout.length() < output.stdout().length()
                        || stderr.length() < output.stderr().length());
    }
}
