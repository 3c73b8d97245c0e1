package dev.berth.bus;

import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.wire.Alert;
import dev.berth.wire.Heartbeat;
import io.nats.client.Message;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Turns what agents and the server publish into {@link AgentEvents}. The client's threads only put
 * messages into a queue; one thread of ours reads and tells. What cannot be read is dropped and
 * logged once for its sender.
 */
final class BusEvents implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(BusEvents.class.getName());

    /** Ten thousand agents may each say a few things before the reader is called slow. */
    private static final int QUEUE = 50_000;

    private static final int COMPLAINTS = 1_000;

    /** An agent as the server knows it: by the DNS name of its certificate or by the subject. */
    private static final Pattern USER =
            Pattern.compile(
                    "(?:CN=)?([A-Za-z0-9-]+)(?:\\.bootstrap)?\\.agent\\.bosh-internal(?:,.*)?");

    /** A connection as the server numbers it. */
    private record Seat(String server, long number) {}

    private final AgentEvents listener;
    private final Sightings sightings;
    private final LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>(QUEUE);
    private final Set<String> complaints = ConcurrentHashMap.newKeySet();
    private final AtomicLong lost = new AtomicLong();
    // Touched by the reader thread only.
    private final Map<AgentId, Seat> seats = new HashMap<>();
    private final Thread reader;

    BusEvents(AgentEvents listener, Sightings sightings) {
        this.listener = listener;
        this.sightings = sightings;
        this.reader = Thread.ofPlatform().daemon().name("bus-events").start(this::read);
    }

    /** From an agent: {@code hm.agent.TOPIC.ID}. */
    void agentMessage(Message message) {
        put(() -> decode(message.getSubject(), message.getData(), this::tellAgent));
    }

    /** From the server: {@code $SYS.ACCOUNT.NAME.CONNECT} or {@code DISCONNECT}. */
    void serverMessage(Message message) {
        put(() -> decode(message.getSubject(), message.getData(), this::tellServer));
    }

    /** From the roll call. */
    void present(String user, String server, long connection) {
        put(() -> {
            Matcher matcher = USER.matcher(user);
            if (matcher.matches()) {
                connected(new AgentId(matcher.group(1)), new Seat(server, connection));
            }
        });
    }

    private void connected(AgentId agent, Seat seat) {
        seats.put(agent, seat);
        sightings.heard(agent);
        listener.connected(agent);
    }

    void busLost() {
        put(listener::busLost);
    }

    void busBack() {
        put(() -> {
            seats.clear();
            listener.busBack();
        });
    }

    private void put(Runnable work) {
        if (!queue.offer(work) && lost.getAndIncrement() % 10_000 == 0) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "the reader of agents'' messages is behind; {0} dropped",
                    lost.get());
        }
    }

    private void read() {
        while (true) {
            try {
                queue.take().run();
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.ERROR, "a listener to agents failed", e);
            }
        }
    }

    private interface Teller {
        void tell(String[] subject, @Nullable Object tree);
    }

    private void decode(String subject, byte[] data, Teller teller) {
        String[] tokens = subject.split("\\.", -1);
        Object tree;
        try {
            tree = Json.parse(data);
        } catch (IllegalArgumentException e) {
            complain(subject, e);
            return;
        }
        try {
            teller.tell(tokens, tree);
        } catch (Unreadable e) {
            complain(subject, e);
        }
    }

    private void complain(String subject, Exception e) {
        if (complaints.size() < COMPLAINTS && complaints.add(subject)) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "message dropped, subject={0} reason={1}",
                    subject,
                    e.getMessage());
        }
    }

    private void tellAgent(String[] subject, @Nullable Object tree) {
        AgentId agent = new AgentId(subject[3]);
        sightings.heard(agent);
        switch (subject[2]) {
            case "heartbeat" ->
                    listener.heartbeat(read(() -> Heartbeat.fromTree(agent, notNull(tree))));
            case "alert" -> listener.alert(agent, read(() -> Alert.fromTree(notNull(tree))));
            case "shutdown" -> listener.shutdown(agent);
            default -> throw new Unreadable("unknown topic");
        }
    }

    private void tellServer(String[] subject, @Nullable Object tree) {
        Fields message = read(() -> Fields.of(tree, "server event"));
        Fields client = read(() -> message.object("client"));
        Matcher user = USER.matcher(read(() -> client.string("user", "")));
        if (!user.matches()) {
            return;
        }
        AgentId agent = new AgentId(user.group(1));
        Seat seat =
                read(() ->
                        new Seat(
                                message.object("server").string("id", ""),
                                client.integer("id", 0)));
        if (subject[3].equals("CONNECT")) {
            connected(agent, seat);
        } else if (isLatest(agent, seat)) {
            seats.remove(agent);
            sightings.gone(agent);
            listener.disconnected(agent);
        }
    }

    /**
     * An agent that came back over a new connection before the server gave up the old one is not
     * gone; the end of the old one says nothing new.
     */
    private boolean isLatest(AgentId agent, Seat ended) {
        Seat latest = seats.get(agent);
        return latest == null
                || !latest.server().equals(ended.server())
                || latest.number() <= ended.number();
    }

    private static Object notNull(@Nullable Object tree) {
        if (tree == null) {
            throw new Unreadable("null");
        }
        return tree;
    }

    private static <T> T read(java.util.function.Supplier<T> reading) {
        try {
            return reading.get();
        } catch (IllegalArgumentException | ClassCastException e) {
            throw new Unreadable(String.valueOf(e.getMessage()));
        }
    }

    /** Keeps a bad message apart from a listener's own failure. */
    private static final class Unreadable extends RuntimeException {
        private static final long serialVersionUID = 1;

        Unreadable(String message) {
            super(message);
        }
    }

    @Override
    public void close() {
        reader.interrupt();
    }
}
