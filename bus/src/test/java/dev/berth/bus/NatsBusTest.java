package dev.berth.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.bus.AgentException.Kind;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.AgentReply;
import dev.berth.wire.Alert;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls and events over the real nats-server. */
class NatsBusTest {
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final AtomicInteger NUMBER = new AtomicInteger();

    @TempDir static Path folder;
    private static Pki pki;
    private static NatsServer server;

    private final RecordedEvents events = new RecordedEvents();
    private NatsBus bus;
    private AgentId id;
    private TestAgent agent;

    @BeforeAll
    static void startServer() {
        pki = Pki.open(folder.resolve("pki"), Clock.SYSTEM);
        server =
                NatsServer.start(
                        new NatsServer.Settings(folder.resolve("nats"), "127.0.0.1", 0, List.of()),
                        pki);
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @BeforeEach
    void connect() throws Exception {
        bus = NatsBus.connect(List.of("nats://127.0.0.1:" + server.port()), pki, events);
        id = new AgentId("agent-" + NUMBER.incrementAndGet());
        agent = TestAgent.connect(id, server.admit(id), server.port());
    }

    @AfterEach
    void close() throws Exception {
        agent.close();
        Thread.ofVirtual().start(bus::close);
    }

    private @Nullable Object call(String method, Object... arguments) {
        return bus.call(id, method, List.of(arguments), SOON);
    }

    private void fails(Kind kind, String message, Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        AgentException.class, e -> assertThat(e.kind()).isEqualTo(kind))
                .hasMessageContaining(message);
    }

    /** Byte for byte what a stock agent is used to, with a reply subject of four tokens. */
    @Test
    void aRequestHasTheShapeOfTheProtocol() throws Exception {
        agent.answer("run_script", arguments -> new AgentReply.Value(Json.of()));
        assertThat(call("ping")).isEqualTo("pong");
        call("run_script", "pre-start", Json.of("env", Json.of("A", "é")));
        bus.tell(id, "shutdown", List.of());
        Until.within(SOON, "the last request", () -> agent.countOf("shutdown") == 1);
        assertThat(agent.requests.getFirst())
                .matches(
                        "\\{\"protocol\":3,\"method\":\"ping\",\"arguments\":\\[],"
                                + "\"reply_to\":\"director\\.[0-9a-f-]{36}\\."
                                + id
                                + "\\.[0-9a-f-]{36}\"}");
        // A ping is repeated when its answer is late; nothing else is.
        List<String> others =
                agent.requests.stream().filter(r -> !r.contains("\"method\":\"ping\"")).toList();
        assertThat(others).hasSize(2);
        assertThat(others.getFirst())
                .startsWith(
                        "{\"protocol\":3,\"method\":\"run_script\",\"arguments\":"
                                + "[\"pre-start\",{\"env\":{\"A\":\"é\"}}],\"reply_to\":\"director.");
        assertThat(others.getLast()).contains("\"method\":\"shutdown\",\"arguments\":[]");
    }

    @Test
    void failuresAreTyped() {
        agent.answer("start", arguments -> new AgentReply.Failure("Action Failed start: no"));
        fails(Kind.FAILED, "Action Failed start: no", () -> call("start"));
        fails(Kind.UNKNOWN_METHOD, "unknown message frobnicate", () -> call("frobnicate"));
        fails(
                Kind.TIMEOUT,
                "agent nobody did not answer ping within",
                () -> bus.call(new AgentId("nobody"), "ping", List.of(), Duration.ofMillis(100)));
        fails(
                Kind.TIMEOUT,
                "has not been heard since the director started",
                () -> bus.call(new AgentId("nobody"), "start", List.of(), Duration.ofMillis(100)));
    }

    @Test
    void aTaskIsFollowedToItsValue() throws Exception {
        agent.startTask("apply", "task-1");
        Future<Object> call = inBackground(() -> call("apply", Map.of()));
        Until.within(SOON, "three polls", () -> agent.countOf("get_task") >= 3);
        agent.finish("task-1", new AgentReply.Value("applied"));
        assertThat(call.get()).isEqualTo("applied");
        assertThat(agent.countOf("apply")).isEqualTo(1);
    }

    @Test
    void aTaskThatFailsOrIsForgottenFails() throws Exception {
        agent.startTask("stop", "task-2");
        agent.finish(
                "task-2", new AgentReply.Failure("Action Failed get_task: Task task-2 result: no"));
        fails(Kind.FAILED, "Task task-2 result: no", () -> call("stop"));
        agent.answer("drain", arguments -> new AgentReply.Running("lost"));
        fails(Kind.FAILED, "Task with id lost could not be found", () -> call("drain"));
    }

    @Test
    void aQuickTaskCostsMilliseconds() {
        agent.startTask("mount_disk", "quick");
        agent.finish("quick", new AgentReply.Value(Json.of()));
        call("mount_disk", "disk-1");
        long start = System.nanoTime();
        for (int i = 0; i < 20; i++) {
            call("mount_disk", "disk-1");
        }
        assertThat(Duration.ofNanos((System.nanoTime() - start) / 20))
                .isLessThan(Duration.ofMillis(100));
    }

    @Test
    void aTaskMayNotRunLongerThanTheLimitOfItsCall() {
        agent.startTask("prepare", "endless");
        fails(
                Kind.TIMEOUT,
                "prepare did not finish in time; it still ran (task endless)",
                () -> bus.call(id, "prepare", List.of(), Duration.ofMillis(200)));
    }

    @Test
    void aLostPollIsAskedAgain() throws Exception {
        agent.startTask("apply", "task-3");
        Future<Object> call = inBackground(() -> call("apply"));
        Until.within(SOON, "a poll", () -> agent.countOf("get_task") >= 1);
        agent.loseReplies(1);
        agent.finish("task-3", new AgentReply.Value("applied"));
        assertThat(call.get()).isEqualTo("applied");
    }

    @Test
    void cancellingADrainTellsTheAgentAndEndsTheCall() throws Exception {
        agent.startTask("drain", "task-4");
        agent.answer("cancel_task", arguments -> new AgentReply.Value("canceled"));
        var cancelled = new AtomicBoolean();
        Future<Object> call =
                inBackground(() -> bus.call(id, "drain", List.of("stop"), SOON, cancelled::get));
        Until.within(SOON, "a poll", () -> agent.countOf("get_task") >= 1);
        cancelled.set(true);
        assertThatThrownBy(call::get)
                .hasCauseInstanceOf(AgentException.class)
                .hasMessageContaining("drain cancelled");
        assertThat(agent.countOf("cancel_task")).isEqualTo(1);
    }

    @Test
    void aCancelledErrandStillBringsItsResult() throws Exception {
        agent.startTask("run_errand", "task-5");
        agent.answer(
                "cancel_task",
                arguments -> {
                    agent.finish("task-5", new AgentReply.Value(Json.of("exit_code", 143)));
                    return new AgentReply.Value("canceled");
                });
        var cancelled = new AtomicBoolean();
        Future<Object> call =
                inBackground(() -> bus.call(id, "run_errand", List.of(), SOON, cancelled::get));
        Until.within(SOON, "a poll", () -> agent.countOf("get_task") >= 1);
        cancelled.set(true);
        assertThat(call.get()).isEqualTo(Json.of("exit_code", 143L));
    }

    @Test
    void waitingForAnAgentThatNeverComesCanBeCancelledAndInterrupted() throws Exception {
        var nobody = new AgentId("nobody");
        fails(
                Kind.CANCELLED,
                "ping cancelled",
                () -> bus.call(nobody, "ping", List.of(), Duration.ofMinutes(5), () -> true));
        Thread.currentThread().interrupt();
        fails(
                Kind.CANCELLED,
                "ping cancelled",
                () -> bus.call(nobody, "ping", List.of(), Duration.ofMinutes(5)));
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void pingFindsAnAgentThatComesLater() throws Exception {
        var late = new AgentId("late");
        Future<Object> call =
                inBackground(() -> bus.call(late, "ping", List.of(), Duration.ofSeconds(30)));
        try (TestAgent booted = TestAgent.connect(late, server.admit(late), server.port())) {
            assertThat(call.get()).isEqualTo("pong");
            assertThat(booted.isConnected()).isTrue();
        }
    }

    @Test
    void aRequestTooLargeForTheBusIsRefusedBeforeItIsSent() {
        call("ping");
        fails(
                Kind.FAILED,
                "the bus carries at most 1048576",
                () -> call("upload_blob", Map.of("payload", "x".repeat(1_100_000))));
        assertThat(call("ping")).isEqualTo("pong");
    }

    /** An agent cannot answer for another, nor bring the reader down. */
    @Test
    void forgedAndBrokenMessagesAreDropped() throws Exception {
        AgentId other = new AgentId("forger");
        try (TestAgent forger = TestAgent.connect(other, server.admit(other), server.port())) {
            agent.answer(
                    "get_state",
                    arguments -> {
                        String replyTo =
                                Fields.of(Json.parse(agent.requests.getLast()), "request")
                                        .string("reply_to");
                        forger.publish(
                                replyTo.replace(id.value(), other.value()),
                                "{\"value\":\"forged\"}");
                        flush(forger);
                        return new AgentReply.Value("true");
                    });
            assertThat(call("get_state")).isEqualTo("true");
        }
        agent.publish("hm.agent.heartbeat." + id, "{");
        agent.publish("hm.agent.heartbeat." + id, "[1]");
        agent.publish("hm.agent.heartbeat." + id, "null");
        agent.publish("hm.agent.heartbeat." + id, "{\"deployment\":{},\"job_state\":7}");
        agent.publish("hm.agent.heartbeat." + id, "[".repeat(500_000));
        agent.publish("hm.agent.heartbeat." + id, "\u0000\u00ff");
        agent.publish("hm.agent.alert." + id, "{\"id\":1}");
        agent.tellMonitor("heartbeat", Json.of("deployment", "shop", "job_state", "running"));
        Until.within(SOON, "the good one", () -> events.heartbeats.size() == 1);
        assertThat(events.alerts).isEmpty();
        agent.answer("get_state", arguments -> new AgentReply.Value("still here"));
        assertThat(call("get_state")).isEqualTo("still here");
    }

    private static void flush(TestAgent agent) {
        try {
            agent.flush();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void whatAnAgentTellsArrives() throws Exception {
        agent.tellMonitor(
                "heartbeat",
                Json.of(
                        "deployment",
                        "shop",
                        "job",
                        "db",
                        "index",
                        0,
                        "job_state",
                        "running",
                        "vitals",
                        Json.of(),
                        "node_id",
                        "i-1",
                        "number_of_processes",
                        2));
        var alert =
                new Alert("a", 2, "db - does not exist", "gone", 1_700_000_000, null, null, null);
        agent.tellMonitor("alert", alert.toTree());
        agent.tellMonitor("shutdown", null);
        Until.within(SOON, "a shutdown", () -> events.lines.contains("shutdown " + id));
        assertThat(events.lines)
                .containsSubsequence("connected " + id, "heartbeat " + id)
                .contains("alert " + id);
        assertThat(events.heartbeats.getFirst().group()).isEqualTo("db");
        assertThat(events.alerts).containsExactly(alert);
    }

    /** A director that starts later still learns who is there. */
    @Test
    void whoIsThereAlreadyIsToldAtTheStart() throws Exception {
        var fresh = new RecordedEvents();
        NatsBus second = NatsBus.connect(List.of("nats://127.0.0.1:" + server.port()), pki, fresh);
        Until.within(SOON, "roll call", () -> fresh.lines.contains("connected " + id));
        Thread.ofVirtual().start(second::close);
    }

    @Test
    void aClosedSocketIsToldWithinASecond() throws Exception {
        Until.within(SOON, "connected", () -> events.lines.contains("connected " + id));
        call("ping");
        agent.close();
        Until.within(
                Duration.ofSeconds(1),
                "disconnected",
                () -> events.lines.contains("disconnected " + id));
        fails(
                Kind.TIMEOUT,
                "its connection ended",
                () -> bus.call(id, "start", List.of(), Duration.ofMillis(100)));
    }

    /** A killed bus: calls in flight go on, the agent is heard again, nothing was asked twice. */
    @Test
    void aKilledBusComesBackAndCallsInFlightGoOn() throws Exception {
        agent.startTask("apply", "task-6");
        Future<Object> call =
                inBackground(() -> bus.call(id, "apply", List.of(), Duration.ofSeconds(60)));
        Until.within(SOON, "a poll", () -> agent.countOf("get_task") >= 1);
        long pid = server.pid();
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        Until.within(SOON, "lost", () -> events.lines.contains("bus lost"));
        Future<Object> meanwhile =
                inBackground(() -> bus.call(id, "ping", List.of(), Duration.ofSeconds(60)));
        Until.within(SOON, "back", () -> events.lines.contains("bus back"));
        agent.finish("task-6", new AgentReply.Value("applied"));
        assertThat(call.get()).isEqualTo("applied");
        assertThat(meanwhile.get()).isEqualTo("pong");
        assertThat(agent.countOf("apply")).isEqualTo(1);
        Until.within(
                SOON,
                "connected again",
                () ->
                        events.lines.lastIndexOf("connected " + id)
                                > events.lines.indexOf("bus back"));
    }

    @Test
    void manyCallsAtOnceDoNotMixUp() throws Exception {
        agent.answer("get_state", arguments -> new AgentReply.Value(arguments.getFirst()));
        call("ping");
        var calls = new ArrayList<Future<Object>>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 500; i++) {
                String number = "n" + i;
                calls.add(threads.submit(() -> call("get_state", number)));
            }
            for (int i = 0; i < 500; i++) {
                assertThat(calls.get(i).get()).isEqualTo("n" + i);
            }
        }
    }

    @Test
    void closingEndsCallsInFlight() throws Exception {
        agent.startTask("apply", "task-7");
        Future<Object> call = inBackground(() -> call("apply"));
        Until.within(SOON, "a poll", () -> agent.countOf("get_task") >= 1);
        bus.close();
        assertThatThrownBy(call::get).hasCauseInstanceOf(AgentException.class);
    }

    private static Future<Object> inBackground(
            java.util.concurrent.Callable<@Nullable Object> work) {
        var result = new CompletableFuture<Object>();
        Thread.startVirtualThread(() -> {
            try {
                result.complete(Optional.ofNullable(work.call()).orElse("nothing"));
            } catch (Exception e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }
}
