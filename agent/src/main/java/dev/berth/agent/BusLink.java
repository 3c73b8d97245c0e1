package dev.berth.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.berth.model.AgentId;
import dev.berth.model.Json;
import io.nats.client.Connection;
import io.nats.client.ConnectionListener.Events;
import io.nats.client.Consumer;
import io.nats.client.ErrorListener;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The agent's link to NATS. It is tried for ever: at once, then after a quarter of a second,
 * growing to a few seconds. The client library's own reconnecting is off: it gives up after two
 * refusals by one server, and a refusal is normal while the director is letting a new agent in.
 *
 * <p>New credentials are taken in place: the new connection is made first, then the old one closed.
 */
final class BusLink implements Bus, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(BusLink.class.getName());
    private static final Duration FIRST_DELAY = Duration.ofMillis(250);
    private static final Duration LONGEST_DELAY = Duration.ofSeconds(3);
    private static final Duration FIRST_LIMIT = Duration.ofSeconds(2);
    private static final Duration LONGEST_LIMIT = Duration.ofSeconds(20);
    private static final Duration SETTLING = Duration.ofSeconds(1);
    private static final Duration MOVING = Duration.ofMillis(20);
    private static final Duration FLUSH_LIMIT = Duration.ofSeconds(2);
    private static final int TRIES = 3;
    private static final int KEPT_MESSAGES = 64;
    private static final int KEPT_BYTES = 2 * 1024 * 1024;

    /**
     * After this the director has given the call up (45 s), and alerts are better late than never.
     */
    private static final long REPLY_LIFE_NANOS = TimeUnit.SECONDS.toNanos(45);

    /** Where the bus is and how to be let in; without a context the link is plain, for tests. */
    record Endpoint(List<String> urls, @Nullable SSLContext tls) {}

    private record Kept(String subject, byte[] payload, long dropAfterNanos) {}

    private final AgentId agent;
    private final java.util.function.Consumer<byte[]> requests;
    private final Runnable connected;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Kept> kept = new ArrayDeque<>();
    private final BlockingQueue<Kept> notices = new ArrayBlockingQueue<>(KEPT_MESSAGES);
    private int keptBytes;
    private long linkedAtNanos;
    private @Nullable Endpoint endpoint;
    private @Nullable Endpoint linkedTo;
    private @Nullable Connection link;
    private boolean closed;
    private boolean away;
    private @Nullable Thread notifier;

    /** The library says only that it could not connect; why, it tells its error listener. */
    private volatile String lastTrouble = "";

    /**
     * @param requests called with each message to this agent, one at a time; must return quickly
     * @param connected called after each (re)connection, when the subscription is in force
     */
    BusLink(AgentId agent, java.util.function.Consumer<byte[]> requests, Runnable connected) {
        this.agent = agent;
        this.requests = requests;
        this.connected = connected;
    }

    /** Connects, or moves the link in place when there is one already. */
    void use(Endpoint wished) {
        locked(() -> {
            boolean first = endpoint == null;
            endpoint = wished;
            changed.signalAll();
            if (first) {
                Thread.ofVirtual().name("bus").start(this::stayConnected);
                notifier = Thread.ofVirtual().name("notices").start(this::sendNotices);
            }
        });
    }

    /**
     * Moves the link to other credentials, if they can be used at all: connects with them first.
     *
     * @param proven called when the new connection stands and before it replaces the old one
     * @throws ActionException it cannot be made; the old one goes on
     */
    void move(Endpoint wished, Runnable proven) throws InterruptedException {
        Connection fresh = null;
        for (int attempt = 0; attempt < TRIES && fresh == null; attempt++) {
            if (attempt > 0) {
                Thread.sleep(FIRST_DELAY.multipliedBy(1L << attempt));
            }
            fresh = connect(wished, attempt);
        }
        if (fresh == null) {
            throw new ActionException(
                    "the bus does not take the new certificate"
                            + (lastTrouble.isEmpty() ? "" : " (" + lastTrouble + ")")
                            + "; the agent goes on with the one it has");
        }
        try {
            fresh.flush(FLUSH_LIMIT);
            proven.run();
        } catch (TimeoutException | RuntimeException e) {
            closeQuietly(fresh);
            throw new ActionException(
                    "the new certificate was not taken: " + ActionException.words(e), e);
        }
        Connection ready = fresh;
        locked(() -> endpoint = wished);
        install(ready, wished);
    }

    /**
     * Leaves the bus properly, while the way to it still stands, and comes back when the VM has its
     * new address, or when that takes too long. Without it the loss of the old address would be
     * noticed by missing pings only.
     */
    void moveTo(BooleanSupplier moved, Duration most) throws InterruptedException {
        Connection[] old = new Connection[1];
        locked(() -> {
            away = true;
            old[0] = link;
        });
        try {
            closeQuietly(old[0]);
            long end = System.nanoTime() + most.toNanos();
            while (!moved.getAsBoolean() && System.nanoTime() < end) {
                Thread.sleep(MOVING);
            }
        } finally {
            locked(() -> {
                away = false;
                changed.signalAll();
            });
        }
    }

    @Override
    public void reply(String subject, byte[] envelope) {
        send(subject, envelope, System.nanoTime() + REPLY_LIFE_NANOS);
    }

    @Override
    public void tellMonitor(String topic, Map<String, Object> message) {
        byte[] payload = Json.write(message).getBytes(UTF_8);
        String subject = "hm.agent." + topic + "." + agent;
        if (topic.equals("heartbeat")) {
            publish(subject, payload);
        } else {
            notify(subject, payload);
        }
    }

    @Override
    public boolean stream(String subject, byte[] message) {
        return publish(subject, message);
    }

    @Override
    public void announceShutdown() {
        notify("hm.agent.shutdown." + agent, "null".getBytes(UTF_8));
    }

    @Override
    public void close() {
        locked(() -> {
            closed = true;
            changed.signalAll();
            if (notifier != null) {
                notifier.interrupt();
            }
        });
    }

    private void stayConnected() {
        int refusals = 0;
        try {
            while (true) {
                Endpoint next = nextEndpoint();
                if (next == null) {
                    break;
                }
                Connection fresh = connect(next, refusals);
                if (fresh == null) {
                    pause(refusals++);
                } else {
                    refusals = 0;
                    install(fresh, next);
                }
            }
            closeQuietly(link);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits until a connection has to be made and says to where; null at the end. */
    private @Nullable Endpoint nextEndpoint() throws InterruptedException {
        lock.lock();
        try {
            while (!closed && (away || link != null && Objects.equals(endpoint, linkedTo))) {
                changed.await();
            }
            return closed ? null : endpoint;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Connection connect(Endpoint to, int refusals) throws InterruptedException {
        try {
            lastTrouble = "";
            return Nats.connect(options(to, refusals));
        } catch (IOException | IllegalArgumentException e) {
            // Once per outage in full, then at each doubling: an outage of days must not fill the
            // log.
            if (Integer.bitCount(refusals) <= 1) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "bus={0} attempt={1} reason={2}",
                        to.urls(),
                        refusals + 1,
                        ActionException.words(e)
                                + (lastTrouble.isEmpty() ? "" : ": " + lastTrouble));
            }
            return null;
        }
    }

    /**
     * A bus that thousands come back to at once may need longer than usual for a handshake, and one
     * that is given up half-way has only cost it time.
     */
    private static Duration limit(int refusals) {
        Duration longer = FIRST_LIMIT.multipliedBy(1L << Math.min(refusals, 4));
        return longer.compareTo(LONGEST_LIMIT) < 0 ? longer : LONGEST_LIMIT;
    }

    private void pause(int refusals) throws InterruptedException {
        long longest =
                Math.min(LONGEST_DELAY.toMillis(), FIRST_DELAY.toMillis() << Math.min(refusals, 8));
        // Thousands that were cut off in the same moment must not come back in the same moments.
        long delay = longest - ThreadLocalRandom.current().nextLong(longest / 4 + 1);
        lock.lock();
        try {
            if (!closed) {
                long ignored = changed.awaitNanos(TimeUnit.MILLISECONDS.toNanos(delay));
            }
        } finally {
            lock.unlock();
        }
    }

    private void install(Connection fresh, Endpoint to) {
        fresh.createDispatcher(message -> requests.accept(message.getData()))
                .subscribe("agent." + agent);
        Connection[] old = new Connection[1];
        locked(() -> {
            old[0] = link;
            link = fresh.getStatus() == Connection.Status.CONNECTED ? fresh : null;
            linkedTo = to;
            linkedAtNanos = System.nanoTime();
            flushKept();
        });
        closeQuietly(old[0]);
        LOG.log(System.Logger.Level.INFO, "bus={0} state=connected", fresh.getConnectedUrl());
        connected.run();
    }

    private Options options(Endpoint to, int refusals) {
        var threads = Thread.ofVirtual().name("nats-", 0).factory();
        var builder =
                new Options.Builder()
                        .servers(to.urls().toArray(String[]::new))
                        .connectionName("agent " + agent)
                        .connectionTimeout(limit(refusals))
                        .pingInterval(Duration.ofSeconds(5))
                        .maxPingsOut(2)
                        .socketWriteTimeout(Duration.ofSeconds(10))
                        .maxReconnects(0)
                        .bufferSize(16 * 1024)
                        .maxMessagesInOutgoingQueue(512)
                        .executor(Executors.newThreadPerTaskExecutor(threads))
                        .connectionListener((connection, event) -> onEvent(connection, event))
                        .errorListener(new Troubles());
        if (to.tls() != null) {
            builder.sslContext(to.tls());
        }
        return builder.build();
    }

    private void onEvent(Connection connection, Events event) {
        if (event == Events.CLOSED || event == Events.DISCONNECTED) {
            locked(() -> {
                if (link == connection) {
                    LOG.log(
                            System.Logger.Level.WARNING,
                            "bus={0} state=disconnected",
                            linkedTo == null ? "" : linkedTo.urls());
                    link = null;
                    changed.signalAll();
                }
            });
        }
    }

    private void send(String subject, byte[] payload, long dropAfterNanos) {
        locked(() -> {
            if (!publish(subject, payload)) {
                kept.addLast(new Kept(subject, payload, dropAfterNanos));
                keptBytes += payload.length;
                while (kept.size() > KEPT_MESSAGES || keptBytes > KEPT_BYTES) {
                    keptBytes -= kept.removeFirst().payload().length;
                }
            }
        });
    }

    private void flushKept() {
        long now = System.nanoTime();
        while (link != null && !kept.isEmpty()) {
            Kept oldest = kept.removeFirst();
            keptBytes -= oldest.payload().length;
            if (oldest.dropAfterNanos() - now > 0) {
                publish(oldest.subject(), oldest.payload());
            }
        }
    }

    private void notify(String subject, byte[] payload) {
        var notice = new Kept(subject, payload, Long.MAX_VALUE);
        while (!notices.offer(notice)) {
            notices.poll(); // the oldest is the one most likely overtaken by a heartbeat
        }
    }

    /** Each notice until the server has it: nobody asks for an alert again. */
    private void sendNotices() {
        try {
            while (true) {
                Kept notice = notices.take();
                while (!delivered(notice)) {
                    Thread.sleep(FIRST_DELAY);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean delivered(Kept notice) throws InterruptedException {
        Connection settled;
        lock.lock();
        try {
            // After an outage of the bus those who listen come back when we do: give them a moment.
            boolean fresh = System.nanoTime() - linkedAtNanos < SETTLING.toNanos();
            settled = fresh ? null : link;
        } finally {
            lock.unlock();
        }
        if (settled == null) {
            return false;
        }
        try {
            settled.publish(notice.subject(), notice.payload());
            settled.flush(FLUSH_LIMIT);
            return true;
        } catch (TimeoutException | IllegalStateException e) {
            return false;
        }
    }

    private boolean publish(String subject, byte[] payload) {
        lock.lock();
        try {
            if (link == null) {
                return false;
            }
            link.publish(subject, payload);
            return true;
        } catch (IllegalStateException | IllegalArgumentException e) {
            // Closed between the look and the call, or a reply_to that is no subject.
            LOG.log(
                    System.Logger.Level.DEBUG,
                    "subject={0} not sent: {1}",
                    subject,
                    e.getMessage());
            return e instanceof IllegalArgumentException;
        } finally {
            lock.unlock();
        }
    }

    private void locked(Runnable work) {
        lock.lock();
        try {
            work.run();
        } finally {
            lock.unlock();
        }
    }

    private static void closeQuietly(@Nullable Connection connection) {
        if (connection != null) {
            try {
                connection.close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** The library prints errors of its own to the console otherwise. */
    private final class Troubles implements ErrorListener {
        @Override
        public void errorOccurred(Connection connection, String error) {
            LOG.log(System.Logger.Level.WARNING, "bus error: {0}", error);
        }

        @Override
        public void exceptionOccurred(Connection connection, Exception e) {
            lastTrouble = ActionException.words(e);
            LOG.log(System.Logger.Level.DEBUG, "bus exception: {0}", ActionException.words(e));
        }

        @Override
        public void slowConsumerDetected(Connection connection, Consumer consumer) {
            LOG.log(System.Logger.Level.WARNING, "requests come faster than they are taken");
        }
    }
}
