package dev.berth.director;

import dev.berth.bus.AgentCalls;
import dev.berth.bus.AgentException;
import dev.berth.bus.AgentStream;
import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Berth's own endpoints for looking inside an instance: why it is as it is, the logs of its
 * containers, a command in one of them, and starting or stopping one of them. All but the last are
 * answered by the agent while the caller waits.
 */
final class InsideApi {
    private static final String INSTANCE = "/deployments/{d}/instances/{g}/{i}";
    private static final String CONTAINER = INSTANCE + "/containers/{c}";

    private static final Duration LOOK = Duration.ofSeconds(20);

    private static final int MOST_LINES = 10_000;
    private static final int USUAL_LINES = 100;

    /** The HTTP server hangs up on whoever is silent for five minutes, and the agent before. */
    private static final int MOST_SECONDS = 240;

    private static final int USUAL_SECONDS = 60;
    private static final Duration EXEC_MARGIN = Duration.ofSeconds(20);

    /** BOSH's number for an agent that does not answer. */
    private static final int SILENT = 450002;

    private static final int REFUSED = 450001;

    private final Store store;
    private final Tasks tasks;
    private final AuditTrail trail;
    private final AgentCalls agents;
    private final Why why;

    InsideApi(Store store, Tasks tasks, AuditTrail trail, FleetView fleet, AgentCalls agents) {
        this.store = store;
        this.tasks = tasks;
        this.trail = trail;
        this.agents = agents;
        this.why = new Why(store, fleet, agents);
    }

    void addTo(Router router) {
        // What a container prints is not for everybody who may look, as in BOSH.
        router.get(INSTANCE + "/why", Access.ADMIN, this::why);
        router.get(CONTAINER + "/logs", Access.ADMIN, this::logs);
        router.on("POST", CONTAINER + "/exec", "application/json", Access.ADMIN, this::exec);
        router.on("POST", CONTAINER + "/session", HttpServer.SESSION, Access.ADMIN, this::session);
        router.on("PUT", CONTAINER, "", Access.ADMIN, this::change);
    }

    private Rows.Instance instance(Call call) {
        Rows.Deployment row = DeploymentsApi.find(store, call.parameter("d"));
        return DeploymentsApi.find(store, row.name(), call.parameter("g"), call.parameter("i"));
    }

    private Reply why(Call call) {
        String container = call.query("container");
        return Reply.json(why.of(instance(call), container == null ? "" : container));
    }

    /**
     * A page of lines and the cursor for the next: {@code num} lines at most, from {@code cursor}
     * on or else the last ones.
     */
    private Reply logs(Call call) {
        Rows.Instance instance = instance(call);
        int most = number(call.query("num"), USUAL_LINES, MOST_LINES, "num");
        String cursor = call.query("cursor");
        return Reply.json(
                ask(
                        instance,
                        "container_logs",
                        List.of(call.parameter("c"), most, cursor == null ? "" : cursor),
                        LOOK));
    }

    private static int number(@Nullable String given, int usual, int most, String name) {
        if (given == null) {
            return usual;
        }
        if (!given.matches("\\d{1,9}") || given.matches("0+") || Integer.parseInt(given) > most) {
            throw new ProblemException(
                    40001, "'" + name + "' is to be a number from 1 to " + most + ", not " + given);
        }
        return Integer.parseInt(given);
    }

    /**
     * Runs a command without a terminal and without input. That it was run is kept in the audit
     * trail, of its words the first only: others may be passwords.
     */
    private Reply exec(Call call) throws IOException {
        Rows.Instance instance = instance(call);
        String container = call.parameter("c");
        Fields body = call.json();
        List<String> command = ContainerSession.command(body);
        long seconds = body.integer("timeout_seconds", USUAL_SECONDS);
        if (seconds < 1 || seconds > MOST_SECONDS) {
            throw new ProblemException(
                    40001, "'timeout_seconds' is to be a number from 1 to " + MOST_SECONDS);
        }
        trail.record(
                new AuditTrail.Entry(
                        null,
                        call.userName(),
                        "exec",
                        "container",
                        container,
                        null,
                        instance.deployment(),
                        instance.group() + "/" + instance.id(),
                        null,
                        Json.of("program", command.getFirst())));
        return Reply.json(
                ask(
                        instance,
                        "run_in_container",
                        List.of(container, command, seconds),
                        Duration.ofSeconds(seconds).plus(EXEC_MARGIN)));
    }

    /** Begins a command with input, and with a terminal where one is asked for. */
    private Reply session(Call call) throws IOException {
        Rows.Instance instance = instance(call);
        String container = call.parameter("c");
        Fields options = ContainerSession.options(call.body());
        List<String> command = ContainerSession.command(options);
        AgentId agent = vm(instance).agent();
        trail.record(
                new AuditTrail.Entry(
                        null,
                        call.userName(),
                        "session",
                        "container",
                        container,
                        null,
                        instance.deployment(),
                        instance.group() + "/" + instance.id(),
                        null,
                        Json.of(
                                "program",
                                command.getFirst(),
                                "terminal",
                                options.flag("tty", false))));
        AgentStream stream = stream(agent);
        try {
            Object ignored =
                    asked(
                            agent,
                            "open_session",
                            List.of(
                                    stream.end().session().toString(),
                                    container,
                                    command,
                                    ContainerSession.forAgent(options, stream.replyTo())),
                            LOOK);
        } catch (RuntimeException e) {
            stream.close();
            throw e;
        }
        return new Reply.Duplex(HttpServer.SESSION, new ContainerSession(stream));
    }

    private AgentStream stream(AgentId agent) {
        try {
            return agents.stream(agent);
        } catch (AgentException e) {
            throw new ProblemException(REFUSED, Why.words(e));
        }
    }

    private Map<String, Object> ask(
            Rows.Instance instance, String method, List<Object> arguments, Duration limit) {
        Object answer = asked(vm(instance).agent(), method, arguments, limit);
        return Fields.of(answer, "answer of the agent").tree();
    }

    private Rows.Vm vm(Rows.Instance instance) {
        return store.read(s -> s.activeVm(instance.id()))
                .orElseThrow(() ->
                        new ProblemException(
                                REFUSED,
                                "Instance '"
                                        + instance.group()
                                        + "/"
                                        + instance.id()
                                        + "' has no VM; berth why says more"));
    }

    private @Nullable Object asked(
            AgentId agent, String method, List<Object> arguments, Duration limit) {
        try {
            return agents.call(agent, method, arguments, limit);
        } catch (AgentException e) {
            throw new ProblemException(
                    e.kind() == AgentException.Kind.TIMEOUT ? SILENT : REFUSED,
                    switch (e.kind()) {
                        case UNKNOWN_METHOD ->
                                "The agent of this VM cannot do that: it is of an older stemcell, or not of Berth";
                        case TIMEOUT, FAILED, CANCELLED -> Why.words(e);
                    });
        }
    }

    private Reply change(Call call) {
        Rows.Instance instance = instance(call);
        String container = call.parameter("c");
        String state = call.query("state");
        if (!ContainerChange.isState(state)) {
            throw new ProblemException(140007, "Invalid state '" + state + "'");
        }
        return Reply.task(
                tasks.enqueue(
                                ContainerChange.TASK,
                                ContainerChange.verb(String.valueOf(state))
                                        + " container "
                                        + container
                                        + " of "
                                        + instance.group()
                                        + "/"
                                        + instance.id(),
                                call.userName(),
                                instance.deployment(),
                                call.contextId(),
                                Json.of(
                                        "deployment",
                                        instance.deployment(),
                                        "instance",
                                        instance.id().value(),
                                        "container",
                                        container,
                                        "state",
                                        state))
                        .id());
    }
}
