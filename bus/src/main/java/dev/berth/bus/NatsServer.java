package dev.berth.bus;

import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;

/**
 * The bus: a real {@code nats-server} that this process starts, watches and restarts, and the list
 * of agents that may speak on it. One left behind by a killed director is taken over when it runs
 * the same configuration, so that agents stay connected, and replaced otherwise. Thread-safe.
 */
public final class NatsServer implements AgentDoor, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(NatsServer.class.getName());
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9-]{1,64}");

    /** A start takes 20 ms; a busy machine gets five hundred times that. */
    private static final Duration START_LIMIT = Duration.ofSeconds(10);

    private static final Duration RELOAD_LIMIT = Duration.ofSeconds(10);

    /** An agent of ours tries every three seconds or so, a stock one every ten. */
    private static final Duration REFUSED_LATELY = Duration.ofSeconds(45);

    /** Turns of the watcher, half a minute. */
    private static final int LOGS_EVERY = 150;

    private static final int GREETING_LIMIT = 64 * 1024;
    private static final String RELOADED = "Reloaded server configuration";
    private static final String NOT_RELOADED = "Failed to reload";

    /**
     * Where and how it runs.
     *
     * @param folder its files, made when missing (0700)
     * @param bindAddress where it listens; {@code 0.0.0.0} for everywhere
     * @param port 0: the one used before in this folder, else any free one
     * @param hosts names and addresses by which agents dial it, for its certificate
     * @param binary path or name of {@code nats-server}
     */
    public record Settings(
            Path folder, String bindAddress, int port, List<String> hosts, String binary) {
        public Settings(Path folder, String bindAddress, int port, List<String> hosts) {
            this(folder, bindAddress, port, hosts, "nats-server");
        }
    }

    private final Settings settings;
    private final Pki pki;
    private final NatsConfig config;
    private final int port;
    private final boolean adopted;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // Guarded by the lock: who is let in, how often that changed, and which change is in force.
    private final TreeSet<String> agents;
    private long wanted;
    private long inForce;
    private boolean applying;
    private long reloads;

    private boolean certificates;

    private final LinkedHashSet<String> hosts = new LinkedHashSet<>();
    private final RefusalLog refusals;
    private volatile NatsProcess process;
    private volatile boolean closing;
    private final Thread watcher;

    private NatsServer(Settings settings, Pki pki, Clock clock) {
        PrivateFiles.folder(settings.folder());
        this.settings = settings;
        this.pki = pki;
        this.config = new NatsConfig(settings.folder().toAbsolutePath());
        this.agents = new TreeSet<>(config.readAgents());
        this.hosts.addAll(settings.hosts());
        this.hosts.add("127.0.0.1");
        pki.natsServer(hosts);
        var leftOver = NatsProcess.leftOver(settings.binary(), config);
        this.port = choosePort(leftOver.isPresent());
        String text = config.text(settings.bindAddress(), port, pki);
        this.adopted = leftOver.isPresent() && text.equals(config.previous());
        this.refusals = new RefusalLog(config, clock);
        if (adopted) {
            this.process = leftOver.get();
            LOG.log(
                    System.Logger.Level.INFO,
                    "nats-server taken over, pid={0}",
                    String.valueOf(process.pid()));
            // The predecessor may have died between writing its list, or a certificate, and telling
            // the server.
            process.reload();
        } else {
            leftOver.ifPresent(NatsProcess::stop);
            config.write(text);
            config.writeUsers(agents);
            this.process = startAndWait();
        }
        this.watcher = Thread.ofPlatform().daemon().name("nats-watcher").start(this::watch);
    }

    /** Blocks until it accepts connections; throws {@link IllegalStateException} with its words. */
    public static NatsServer start(Settings settings, Pki pki) {
        return new NatsServer(settings, pki, Clock.SYSTEM);
    }

    public int port() {
        return port;
    }

    /** Whether a predecessor's server was taken over. */
    public boolean isAdopted() {
        return adopted;
    }

    /** Of the server as it runs now; changes when it had to be restarted. */
    public long pid() {
        return process.pid();
    }

    /** How often the server was told to read its users again. */
    long reloads() {
        lock.lock();
        try {
            return reloads;
        } finally {
            lock.unlock();
        }
    }

    private int choosePort(boolean running) {
        if (settings.port() != 0) {
            return settings.port();
        }
        int before = config.previousPort();
        if (before != 0 && (running || isFree(before))) {
            return before;
        }
        return freePort();
    }

    private boolean isFree(int candidate) {
        try (var socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(settings.bindAddress(), candidate));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private int freePort() {
        try (var socket = new ServerSocket(0, 1, InetAddress.ofLiteral(settings.bindAddress()))) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException(
                    "no free port on " + settings.bindAddress() + " for the bus: " + e.getMessage(),
                    e);
        }
    }

    private NatsProcess startAndWait() {
        long logEnd = NatsProcess.logEnd(config);
        NatsProcess started = NatsProcess.start(settings.binary(), config);
        long end = System.nanoTime() + START_LIMIT.toNanos();
        while (!accepts()) {
            if (!started.isAlive() || System.nanoTime() > end || !Pause.millis(5)) {
                String complaint = NatsProcess.complaint(NatsProcess.logSince(config, logEnd));
                started.stop();
                throw new IllegalStateException(
                        "nats-server did not start on "
                                + settings.bindAddress()
                                + ":"
                                + port
                                + ": "
                                + (complaint == null ? "see " + config.log() : complaint));
            }
        }
        LOG.log(
                System.Logger.Level.INFO,
                "nats-server started, pid={0} port={1}",
                String.valueOf(started.pid()),
                String.valueOf(port));
        return started;
    }

    private boolean accepts() {
        String host =
                settings.bindAddress().equals("0.0.0.0") ? "127.0.0.1" : settings.bindAddress();
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), 1_000);
            // Its greeting: something else that took the port, perhaps the bus of another
            // environment, would not say this name.
            socket.setSoTimeout(1_000);
            String greeting = "";
            byte[] part = new byte[1024];
            for (int n; !greeting.contains("\n") && greeting.length() < GREETING_LIMIT; ) {
                n = socket.getInputStream().read(part);
                if (n < 0) {
                    break;
                }
                greeting += new String(part, 0, n, StandardCharsets.US_ASCII);
            }
            return greeting.contains("\"server_name\":\"" + config.serverName() + "\"");
        } catch (IOException e) {
            return false;
        }
    }

    /** Looks five times a second; a server that dies at once is tried again ever more slowly. */
    private void watch() {
        long pause = 0;
        for (long turn = 0; !closing && Pause.millis(200); turn++) {
            refusals.look();
            if (turn % LOGS_EVERY == 0) {
                config.dropOldLogs();
            }
            if (process.isAlive()) {
                pause = 0;
                continue;
            }
            if (closing) {
                return;
            }
            LOG.log(
                    System.Logger.Level.WARNING,
                    "nats-server died, pid={0}; starting it again",
                    String.valueOf(process.pid()));
            if (!Pause.millis(pause)) {
                return;
            }
            pause = Math.min(10_000, pause * 2 + 200);
            try {
                process = startAndWait();
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.ERROR, e.getMessage());
            }
        }
    }

    @Override
    public AgentSettings.Certificate admit(AgentId agent) {
        AgentSettings.Certificate certificate = pki.agent(check(agent));
        change(() -> agents.add(agent.value()));
        return certificate;
    }

    @Override
    public void expel(AgentId agent) {
        change(() -> agents.remove(agent.value()));
    }

    @Override
    public Optional<Refusal> refusal(Collection<String> addresses) {
        return refusals.of(addresses, REFUSED_LATELY);
    }

    /**
     * Has the server take on certificate and CAs as they are now, its own made anew where that is
     * due; who is connected stays so. In force when it returns.
     */
    public void takeCertificates() {
        change(() -> {
            certificates = true;
            return true;
        });
    }

    @Override
    public void reset(Collection<AgentId> only) {
        List<String> ids = only.stream().map(id -> check(id).value()).toList();
        change(() -> {
            if (agents.equals(new TreeSet<>(ids))) {
                return false;
            }
            agents.clear();
            agents.addAll(ids);
            return true;
        });
    }

    /** Ids become part of the server's configuration and of subjects. */
    private static AgentId check(AgentId agent) {
        if (!ID.matcher(agent.value()).matches()) {
            throw new IllegalArgumentException("not an agent id: letters, digits and - only");
        }
        return agent;
    }

    /**
     * Makes a change and returns once it is in force. Whoever finds nobody at work applies all
     * changes made so far, so that a hundred VMs at once cost a few reloads and not a hundred.
     */
    private void change(java.util.function.BooleanSupplier edit) {
        lock.lock();
        try {
            if (edit.getAsBoolean()) {
                wanted++;
            }
            long mine = wanted;
            while (inForce < mine) {
                if (applying) {
                    changed.awaitUninterruptibly();
                } else {
                    applyAll();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Holds the lock at entry and exit, not while it waits for the server. */
    private void applyAll() {
        applying = true;
        long upTo = wanted;
        List<String> now = List.copyOf(agents);
        boolean renewing = certificates;
        certificates = false;
        lock.unlock();
        boolean done = false;
        try {
            if (renewing) {
                // Here, for no reload may find the key of one and the certificate of another.
                pki.natsServer(hosts);
            }
            config.writeUsers(now);
            reload();
            done = true;
        } finally {
            lock.lock();
            applying = false;
            if (done) {
                reloads++;
                inForce = upTo;
            }
            changed.signalAll();
        }
    }

    /** A server that died meanwhile reads the new users when it starts again. */
    private void reload() {
        long end = System.nanoTime() + RELOAD_LIMIT.toNanos();
        while (true) {
            NatsProcess target = process;
            long logEnd = NatsProcess.logEnd(config);
            target.reload();
            while (target.isAlive()) {
                String log = NatsProcess.logSince(config, logEnd);
                if (log.contains(RELOADED)) {
                    return;
                }
                if (log.contains(NOT_RELOADED) || System.nanoTime() > end || !Pause.millis(2)) {
                    String complaint = NatsProcess.complaint(log);
                    throw new IllegalStateException(
                            "nats-server did not take on the list of agents: "
                                    + (complaint == null ? "see " + config.log() : complaint));
                }
            }
            while (process == target) {
                if (closing || System.nanoTime() > end || !Pause.millis(20)) {
                    throw new IllegalStateException("nats-server is not running");
                }
            }
        }
    }

    /** Leaves the server running, as a killed director would; for a director that is replaced. */
    public void leave() {
        closing = true;
        watcher.interrupt();
    }

    /** Stops the server. */
    @Override
    public void close() {
        leave();
        try {
            watcher.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.stop();
    }
}
