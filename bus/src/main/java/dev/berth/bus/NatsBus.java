package dev.berth.bus;

import dev.berth.bus.AgentException.Kind;
import dev.berth.model.AgentId;
import dev.berth.model.Json;
import dev.berth.wire.AgentReply;
import dev.berth.wire.AgentRequest;
import dev.berth.wire.StreamEnd;
import dev.berth.wire.StreamFrame;
import io.nats.client.Connection;
import io.nats.client.ConnectionListener;
import io.nats.client.Message;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The director's end of the bus: calls to agents, and what agents tell. Three connections, one for
 * each of the director's users, all of which come back for ever; a call in flight meanwhile waits
 * on within its own limits.
 *
 * <p>Arguments and values are never logged: any may hold a secret.
 */
public final class NatsBus implements AgentCalls, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(NatsBus.class.getName());
    private static final long FIRST_POLL_MILLIS = 5;
    private static final long SLOWEST_POLL_MILLIS = 1_000;
    private static final long CANCEL_LOOK_MILLIS = 200;
    private static final Duration CANCEL_LIMIT = Duration.ofSeconds(5);
    private static final BooleanSupplier NEVER = () -> false;

    private record Waiting(AgentId agent, CompletableFuture<AgentReply> reply) {}

    private record Streaming(AgentId agent, StreamEnd end) {}

    private final String process = UUID.randomUUID().toString();
    private final Map<String, Waiting> waiting = new ConcurrentHashMap<>();
    private final Map<String, Streaming> streams = new ConcurrentHashMap<>();
    private final Sightings sightings = new Sightings();
    private final BusEvents events;
    private final Connection director;
    private final Connection monitor;
    private final Connection system;
    private volatile boolean closed;

    private NatsBus(List<String> urls, Pki pki, AgentEvents listener) {
        this.events = new BusEvents(listener, sightings);
        this.director = BusLink.open(urls, pki, BusUser.DIRECTOR, this::callsChanged);
        director.createDispatcher(this::reply).subscribe("director." + process + ".>");
        this.system = BusLink.open(urls, pki, BusUser.SYSTEM, this::busChanged);
        system.createDispatcher(events::serverMessage)
                .subscribe("$SYS.ACCOUNT.*.CONNECT")
                .subscribe("$SYS.ACCOUNT.*.DISCONNECT");
        callTheRoll(system);
        this.monitor = BusLink.open(urls, pki, BusUser.MONITOR, (connection, event) -> {});
        monitor.createDispatcher(events::agentMessage)
                .subscribe("hm.agent.heartbeat.*")
                .subscribe("hm.agent.alert.*")
                .subscribe("hm.agent.shutdown.*");
        sightings.busBack();
    }

    /**
     * Connects; blocks until the bus answers, at most half a minute, else {@link
     * IllegalStateException}.
     *
     * @param urls {@code nats://HOST:PORT}, one for each server of a cluster
     * @param listener told one at a time, never on a thread that a call waits for
     */
    public static NatsBus connect(List<String> urls, Pki pki, AgentEvents listener) {
        return new NatsBus(urls, pki, listener);
    }

    /** After the subscriptions: who connects during the roll call is told by the server's event. */
    private void callTheRoll(Connection connection) {
        Thread.ofVirtual().name("bus-roll").start(() -> RollCall.run(connection, events::present));
    }

    /** Whether the bus can be reached now. */
    public boolean isConnected() {
        return director.getStatus() == Connection.Status.CONNECTED;
    }

    private void callsChanged(Connection connection, ConnectionListener.Events event) {
        if (event == ConnectionListener.Events.RECONNECTED) {
            sightings.busBack();
        }
    }

    /** One of the three connections speaks for the bus, so that its loss is told once. */
    private void busChanged(Connection connection, ConnectionListener.Events event) {
        if (event == ConnectionListener.Events.DISCONNECTED && !closed) {
            LOG.log(System.Logger.Level.WARNING, "bus lost");
            events.busLost();
        } else if (event == ConnectionListener.Events.RECONNECTED) {
            LOG.log(System.Logger.Level.INFO, "bus back");
            events.busBack();
            callTheRoll(connection);
        }
    }

    /** On the client's thread: wakes the waiting call and returns. */
    private void reply(Message message) {
        String[] subject = message.getSubject().split("\\.", -1);
        if (StreamFrame.is(message.getData())) {
            streamed(subject, message.getData());
            return;
        }
        Waiting call = subject.length == 4 ? waiting.get(subject[3]) : null;
        if (call == null || !call.agent().value().equals(subject[2])) {
            return;
        }
        sightings.heard(call.agent());
        try {
            call.reply().complete(AgentReply.fromTree(Json.object(message.getData())));
        } catch (RuntimeException e) {
            // What it says instead may hold anything, a secret too.
            call.reply().complete(new AgentReply.Failure("the answer is no reply of the protocol"));
        }
    }

    /** The subject's agent is who sent it: the bus lets nobody else. */
    private void streamed(String[] subject, byte[] message) {
        Streaming stream = subject.length == 4 ? streams.get(subject[3]) : null;
        if (stream != null && stream.agent().value().equals(subject[2])) {
            sightings.heard(stream.agent());
            StreamFrame.parse(message)
                    .filter(frame -> frame.session().equals(stream.end().session()))
                    .ifPresent(stream.end()::accept);
        }
    }

    @Override
    public AgentStream stream(AgentId agent) {
        refuseWhenClosed();
        UUID session = UUID.randomUUID();
        String id = session.toString();
        var end = new StreamEnd(session, frame -> publish(agent, "session", frame));
        streams.put(id, new Streaming(agent, end));
        return new AgentStream(
                end, "director." + process + "." + agent + "." + id, () -> streams.remove(id));
    }

    @Override
    public @Nullable Object call(
            AgentId agent,
            String method,
            List<Object> arguments,
            Duration limit,
            BooleanSupplier cancelled) {
        return call(agent, method, arguments, limit, cancelled, progress -> {});
    }

    @Override
    public @Nullable Object call(
            AgentId agent,
            String method,
            List<Object> arguments,
            Duration limit,
            BooleanSupplier cancelled,
            Consumer<Map<String, Object>> progress) {
        long end = System.nanoTime() + limit.toNanos();
        if (!Patience.of(method).isRepeatable() && !sightings.isPresent(agent)) {
            // Sent to an agent that is not there it would be lost, and must not be sent twice.
            exchange(agent, "ping", List.of(), end, cancelled);
        }
        return switch (exchange(agent, method, arguments, end, cancelled)) {
            case AgentReply.Value value -> value.value();
            case AgentReply.Failure failure -> throw failed(failure);
            case AgentReply.Running running ->
                    follow(agent, method, running.agentTaskId(), end, cancelled, progress);
        };
    }

    private @Nullable Object follow(
            AgentId agent,
            String method,
            String task,
            long end,
            BooleanSupplier cancelled,
            Consumer<Map<String, Object>> progress) {
        BooleanSupplier asked = cancelled;
        long pause = FIRST_POLL_MILLIS;
        long lastSaid = System.nanoTime();
        while (true) {
            pause(Math.clamp(TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime()), 0, pause));
            pause = Math.min(SLOWEST_POLL_MILLIS, pause + pause / 8 + 1);
            if (asked.getAsBoolean()) {
                cancel(agent, method, task);
                asked = NEVER;
            }
            try {
                switch (exchange(agent, "get_task", List.of(task), end, asked)) {
                    case AgentReply.Running running -> {
                        lastSaid = System.nanoTime();
                        if (!running.progress().isEmpty()) {
                            progress.accept(running.progress());
                        }
                    }
                    case AgentReply.Value value -> {
                        return value.value();
                    }
                    case AgentReply.Failure failure -> throw failed(failure);
                }
            } catch (AgentException e) {
                switch (e.kind()) {
                    // The turn of the loop tells the agent.
                    case CANCELLED -> {
                        if (asked == NEVER || !asked.getAsBoolean()) {
                            throw e;
                        }
                    }
                    case TIMEOUT -> throw unfinished(agent, method, task, lastSaid, e);
                    case FAILED, UNKNOWN_METHOD -> throw e;
                }
            }
            if (System.nanoTime() - end >= 0) {
                throw unfinished(agent, method, task, lastSaid, null);
            }
        }
    }

    private static AgentException unfinished(
            AgentId agent,
            String method,
            String task,
            long lastSaid,
            @Nullable AgentException silence) {
        return new AgentException(
                Kind.TIMEOUT,
                "agent "
                        + agent
                        + ": "
                        + method
                        + " did not finish in time; it still ran (task "
                        + task
                        + ") "
                        + Sightings.text(System.nanoTime() - lastSaid)
                        + " ago"
                        + (silence == null ? "" : ", since when " + silence.getMessage()));
    }

    /** Ends the call, but for an errand, whose result is awaited even so. */
    private void cancel(AgentId agent, String method, String task) {
        if (method.equals("drain") || method.equals("run_errand")) {
            try {
                long end = System.nanoTime() + CANCEL_LIMIT.toNanos();
                exchange(agent, "cancel_task", List.of(task), end, NEVER);
            } catch (AgentException e) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "agent={0} did not take cancel_task: {1}",
                        agent,
                        e.getMessage());
            }
        }
        if (!method.equals("run_errand")) {
            throw cancelled(agent, method);
        }
    }

    /** One message and its reply. */
    private AgentReply exchange(
            AgentId agent,
            String method,
            List<Object> arguments,
            long callEnd,
            BooleanSupplier cancelled) {
        Patience patience = Patience.of(method);
        long start = System.nanoTime();
        long end = Math.min(callEnd - start, patience.window().toNanos()) + start;
        String id = UUID.randomUUID().toString();
        var call = new Waiting(agent, new CompletableFuture<>());
        byte[] message = message(agent, method, arguments, id);
        waiting.put(id, call);
        try {
            refuseWhenClosed();
            long gap = patience.firstGap().toNanos();
            long next = start;
            while (true) {
                long now = System.nanoTime();
                if (now - next >= 0 && publish(agent, method, message)) {
                    next = now + gap;
                    gap = Math.min(2 * gap, patience.longestGap().toNanos());
                }
                long wait =
                        Math.min(
                                Math.min(end - now, Math.max(next - now, 1_000_000)),
                                TimeUnit.MILLISECONDS.toNanos(CANCEL_LOOK_MILLIS));
                try {
                    return call.reply().get(Math.max(wait, 0), TimeUnit.NANOSECONDS);
                } catch (TimeoutException e) {
                    if (cancelled.getAsBoolean()) {
                        throw cancelled(agent, method);
                    }
                    if (System.nanoTime() - end >= 0) {
                        throw timeout(agent, method, start);
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw cancelled(agent, method);
        } catch (ExecutionException e) {
            throw new AgentException(Kind.CANCELLED, "the bus was closed");
        } finally {
            waiting.remove(id);
        }
    }

    private byte[] message(AgentId agent, String method, List<Object> arguments, String id) {
        String replyTo = "director." + process + "." + agent + "." + id;
        var request = new AgentRequest(AgentRequest.PROTOCOL, method, arguments, replyTo);
        byte[] bytes = Json.write(request.toTree()).getBytes(StandardCharsets.UTF_8);
        long most = director.getMaxPayload();
        if (most > 0 && bytes.length > most) {
            throw new AgentException(
                    Kind.FAILED,
                    method
                            + " needs "
                            + bytes.length
                            + " bytes, the bus carries at most "
                            + most
                            + " in a message");
        }
        return bytes;
    }

    /** False when the client has no room for it now, as can be while the bus is away. */
    private boolean publish(AgentId agent, String method, byte[] message) {
        try {
            director.publish("agent." + agent, message);
            LOG.log(
                    System.Logger.Level.DEBUG,
                    "agent={0} method={1} bytes={2}",
                    agent,
                    method,
                    String.valueOf(message.length));
            return true;
        } catch (IllegalStateException e) {
            if (!method.equals("session")) {
                refuseWhenClosed();
            }
            return false;
        }
    }

    private void refuseWhenClosed() {
        if (closed) {
            throw new AgentException(Kind.CANCELLED, "the bus was closed");
        }
    }

    @Override
    public void tell(AgentId agent, String method, List<Object> arguments) {
        publish(agent, method, message(agent, method, arguments, UUID.randomUUID().toString()));
    }

    private static void pause(long millis) {
        if (!Pause.millis(millis)) {
            throw new AgentException(Kind.CANCELLED, "interrupted");
        }
    }

    private static AgentException failed(AgentReply.Failure failure) {
        boolean unknown = failure.message().startsWith("unknown message");
        return new AgentException(
                unknown ? Kind.UNKNOWN_METHOD : Kind.FAILED, failure.message(), failure.disk());
    }

    private static AgentException cancelled(AgentId agent, String method) {
        return new AgentException(Kind.CANCELLED, "agent " + agent + ": " + method + " cancelled");
    }

    private AgentException timeout(AgentId agent, String method, long start) {
        return new AgentException(
                Kind.TIMEOUT,
                "agent "
                        + agent
                        + " did not answer "
                        + method
                        + " within "
                        + Sightings.text(System.nanoTime() - start)
                        + "; "
                        + (isConnected() ? sightings.describe(agent) : "the bus is away"));
    }

    @Override
    public void close() {
        closed = true;
        waiting.values()
                .forEach(call ->
                        call.reply().completeExceptionally(new IllegalStateException("closed")));
        streams.values().forEach(stream -> stream.end().close("the director stops"));
        events.close();
        // Each takes the client a second, waiting for its own reader.
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List.of(monitor, system, director).forEach(c -> threads.execute(() -> close(c)));
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
