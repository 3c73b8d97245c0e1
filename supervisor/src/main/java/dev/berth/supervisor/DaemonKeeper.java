package dev.berth.supervisor;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.Clock;
import dev.berth.model.DaemonSettings;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.supervisor.DaemonChange.Effect;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * Gives the Docker daemon of a VM its settings, with as little motion as a change allows: files it
 * looks at by itself, a reload, a restart that containers live through, or one before which they
 * are stopped in order. A daemon that does not start with its new settings gets the old ones back.
 * What is under way is on disk, so that a next life of the agent ends it. Thread-safe; one change
 * at a time.
 */
public final class DaemonKeeper {
    private static final System.Logger LOG = System.getLogger(DaemonKeeper.class.getName());
    private static final String GOOD = "good.json";
    private static final String PENDING = "pending.json";
    private static final Duration RELOAD_LIMIT = Duration.ofSeconds(5);
    private static final Duration END_LIMIT = Duration.ofSeconds(20);
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration LIST_LIMIT = Duration.ofSeconds(10);
    private static final Duration STOP_LIMIT = Duration.ofMinutes(5);

    /** A process that is not there this long after its start will not come any more. */
    private static final Duration SHOWS = Duration.ofSeconds(3);

    private static final Duration OFTEN = Duration.ofMillis(50);
    private static final int MOST_WORDS = 1000;

    private final DaemonPlace place;
    private final DaemonDisk disk;
    private final Gate gate;
    private final DaemonProcess process;
    private final Engine engine;
    private final DaemonWatch watch;
    private final Supervisor supervisor;
    private final Clock clock;
    private final ReentrantLock one = new ReentrantLock();

    /**
     * What is known of the daemon's settings before anybody keeps them, and whether a daemon may be
     * started: one whose images are on the persistent disk waits until that is proven (rule R2).
     */
    public static final class Gate implements DaemonDefaults {
        private final DaemonPlace place;
        private final DaemonDisk disk;
        private volatile DaemonFiles good;
        private volatile boolean storeProven;

        public Gate(DaemonPlace place) {
            this.place = place;
            this.disk = new DaemonDisk(place);
            this.good =
                    disk.read(GOOD)
                            .map(text -> DaemonFiles.fromTree(Json.object(text)))
                            .orElseGet(() -> DaemonFiles.of(DaemonSettings.NONE, 0, place));
        }

        boolean needsStore() {
            return disk.onStore(good);
        }

        public boolean isOpen() {
            return storeProven || !needsStore();
        }

        @Override
        public boolean ownLogs() {
            return good.ownLogs();
        }

        @Override
        public Map<String, String> networkOptions() {
            return good.networkOptions();
        }
    }

    /**
     * @param engine a connection of its own
     */
    public DaemonKeeper(
            Gate gate,
            DaemonProcess process,
            Engine engine,
            DaemonWatch watch,
            Supervisor supervisor,
            Clock clock) {
        this.gate = gate;
        this.place = gate.place;
        this.disk = gate.disk;
        this.process = process;
        this.engine = engine;
        this.watch = watch;
        this.supervisor = supervisor;
        this.clock = clock;
    }

    /** Whether images and layers are on the persistent disk, so that all containers need it. */
    public boolean needsStore() {
        return gate.needsStore();
    }

    /**
     * Tells whether the persistent disk is proven. A daemon that stands on a disk which no longer
     * is ends: it would keep it from being unmounted, and must not start on another.
     */
    public void store(boolean proven) {
        gate.storeProven = proven;
        if (!proven && gate.needsStore()) {
            watch.exclusively(this::end);
        }
    }

    /**
     * Gives the settings that can be given while containers run; the rest too, when none runs.
     *
     * @return what was done, for an operator; empty: nothing
     * @throws DaemonRefused when the daemon does not take them
     */
    public String prepare(DaemonSettings settings, int index) {
        return exclusively(() -> {
            DaemonFiles now = DaemonFiles.of(settings, index, place);
            boolean reachable = !disk.onStore(now) || gate.storeProven;
            boolean free = now.equals(gate.good) || (reachable && running().isEmpty());
            return change(free ? now : now.sparingContainers(gate.good), settings, index, () -> {});
        });
    }

    /**
     * Gives all settings.
     *
     * @param wish called when the daemon has them, before containers start again
     * @return what was done, for an operator; empty: nothing
     * @throws DaemonRefused when the daemon does not take them; {@code wish} was not called then
     */
    public String apply(DaemonSettings settings, int index, Runnable wish) {
        return exclusively(
                () -> change(DaemonFiles.of(settings, index, place), settings, index, wish));
    }

    /** Ends what an earlier life of this process began; else does nothing. */
    public void recover() {
        exclusively(() -> {
            Optional<String> pending = disk.read(PENDING);
            if (pending.isPresent()) {
                Fields f = Fields.of(Json.object(pending.get()), PENDING);
                boolean started = f.flag("started", false);
                LOG.log(System.Logger.Level.INFO, "a change of the daemon's settings goes on");
                try {
                    change(
                            DaemonFiles.fromTree(f.object("files").tree()),
                            started || supervisor.wantsRunning(),
                            () -> {},
                            true);
                } catch (DaemonRefused e) {
                    LOG.log(System.Logger.Level.ERROR, e.getMessage());
                }
            }
            return "";
        });
    }

    private String exclusively(java.util.function.Supplier<String> work) {
        one.lock();
        try {
            return work.get();
        } finally {
            one.unlock();
        }
    }

    private String change(DaemonFiles now, DaemonSettings settings, int index, Runnable wish) {
        String done = change(now, supervisor.wantsRunning(), wish, false);
        return settings.maxMapCount() > 0 && !disk.mapsEnough(settings.maxMapCount())
                ? done
                        + (done.isEmpty() ? "" : "; ")
                        + "vm.max_map_count stays below "
                        + settings.maxMapCount()
                        + ": the VM may not change it"
                : done;
    }

    private String change(DaemonFiles now, boolean started, Runnable wish, boolean again) {
        DaemonChange change = DaemonChange.between(gate.good, now);
        if (change.effect() == Effect.NOTHING && !again) {
            wish.run();
            return "";
        }
        LOG.log(System.Logger.Level.INFO, "daemon settings effect={0}", change.effect());
        if (disk.onStore(now) && !gate.storeProven) {
            throw new DaemonRefused(
                    "'store_dir' is on the persistent disk, and that is not proven: see why INSTANCE");
        }
        validate(now);
        disk.keep(PENDING, Json.write(Json.of("files", now.toTree(), "started", started)));
        DaemonChange done =
                switch (change.effect()) {
                    case NOTHING, FILES -> {
                        disk.write(now);
                        yield change;
                    }
                    case RELOAD -> reload(now, change);
                    case RESTART -> {
                        swap(now);
                        yield change;
                    }
                    case CONTAINERS -> {
                        withoutContainers(now, started);
                        yield change;
                    }
                };
        disk.keep(GOOD, Json.write(now.toTree()));
        gate.good = now;
        wish.run();
        if (change.effect() == Effect.CONTAINERS && started) {
            supervisor.start();
        }
        disk.forget(PENDING);
        return done.text();
    }

    // --- the four ways

    /** A daemon that does not say that it has reloaded is started anew. */
    private DaemonChange reload(DaemonFiles now, DaemonChange change) {
        Optional<DaemonProcess.Alive> alive = process.find();
        disk.write(now);
        if (alive.isEmpty()) {
            return change; // whoever starts it starts it with these
        }
        long from = disk.logEnd();
        var reloaded = new CountDownLatch(1);
        try (AutoCloseable events =
                engine.events(
                        Map.of("type", List.of("daemon"), "event", List.of("reload")),
                        event -> reloaded.countDown(),
                        e -> {})) {
            process.signal(alive.get().pid(), DaemonProcess.Signal.RELOAD);
            Instant end = clock.now().plus(RELOAD_LIMIT);
            while (clock.now().isBefore(end) && words(from, now).isEmpty()) {
                if (reloaded.await(OFTEN.toMillis(), TimeUnit.MILLISECONDS)) {
                    return change;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DaemonRefused("interrupted while the daemon reloaded its settings");
        } catch (Exception e) {
            LOG.log(System.Logger.Level.WARNING, "the daemon was not heard reloading: {0}", e);
        }
        String words = words(from, now);
        if (!words.isEmpty()) {
            disk.write(gate.good);
            disk.forget(PENDING);
            throw refused(words);
        }
        swap(now);
        return new DaemonChange(Effect.RESTART, change.names());
    }

    private void withoutContainers(DaemonFiles now, boolean started) {
        List<String> foreign = running().stream().filter(c -> !c.ours).map(c -> c.name).toList();
        if (!foreign.isEmpty()) {
            disk.forget(PENDING);
            throw new DaemonRefused(
                    "the settings need a Docker daemon without containers, and these are not Berth's: "
                            + String.join(", ", foreign)
                            + "; stop them first");
        }
        try {
            List<String> left = supervisor.stop(STOP_LIMIT);
            if (!left.isEmpty()) {
                throw new DaemonRefused(
                        "the settings need stopped containers, and these do not stop: "
                                + String.join(", ", left));
            }
            removeOurs();
            swap(now);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DaemonRefused("interrupted while containers were stopped");
        } catch (RuntimeException e) {
            if (started) {
                supervisor.start();
            }
            disk.forget(PENDING);
            throw e;
        }
    }

    /** They would name networks and layers that the next daemon has not. */
    private void removeOurs() {
        for (Found container : all()) {
            if (container.ours) {
                engine.removeContainer(container.id, true, true);
            }
        }
        for (Map<String, Object> network :
                engine.listNetworks(java.util.Collections.singletonMap(Labels.INSTANCE, null))) {
            engine.removeNetwork(Fields.of(network, "network").string("Id"));
        }
    }

    private void swap(DaemonFiles now) {
        watch.exclusively(() -> {
            end();
            disk.write(now);
            long from = disk.logEnd();
            if (startsAndAnswers()) {
                return;
            }
            String words = words(from, now);
            LOG.log(System.Logger.Level.ERROR, "the daemon did not start: {0}", words);
            end();
            disk.write(gate.good);
            boolean back = startsAndAnswers();
            disk.forget(PENDING);
            throw refused(
                    (words.isEmpty() ? "it did not answer within 60 s" : words)
                            + (back ? "" : " (and it does not start with the old ones either)"));
        });
    }

    private static DaemonRefused refused(String words) {
        return new DaemonRefused(
                "the Docker daemon does not take its new settings, and has the old ones again: "
                        + words);
    }

    private void end() {
        Optional<DaemonProcess.Alive> alive = process.find();
        if (alive.isEmpty()) {
            return;
        }
        long pid = alive.get().pid();
        process.signal(pid, DaemonProcess.Signal.TERM);
        if (!within(END_LIMIT, () -> process.find().isEmpty())) {
            process.signal(pid, DaemonProcess.Signal.KILL);
            within(END_LIMIT, () -> process.find().isEmpty());
        }
    }

    private boolean startsAndAnswers() {
        Instant begun = clock.now();
        process.start();
        boolean[] seen = {false};
        boolean[] answers = {false};
        within(
                START_LIMIT,
                () -> {
                    boolean there = process.find().isPresent();
                    seen[0] |= there;
                    answers[0] = there && engine.ping(Duration.ofSeconds(1));
                    boolean hopeless =
                            !there && (seen[0] || clock.now().isAfter(begun.plus(SHOWS)));
                    return answers[0] || hopeless;
                });
        return answers[0];
    }

    private boolean within(Duration limit, BooleanSupplier condition) {
        Instant end = clock.now().plus(limit);
        while (!condition.getAsBoolean()) {
            if (clock.now().isAfter(end)) {
                return false;
            }
            try {
                clock.sleep(OFTEN);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }

    // --- the daemon's words

    /** Its errors since then, without what may not be told. */
    private String words(long from, DaemonFiles files) {
        var lines = new ArrayList<String>();
        for (String line : disk.logSince(from).lines().toList()) {
            if (line.contains("level=error") || line.contains("level=fatal")) {
                lines.add(line.replaceFirst("^time=\\S+ level=\\w+ msg=", ""));
            } else if (!line.startsWith("time=") && !line.isBlank()) {
                lines.add(line);
            }
        }
        String text = String.join("; ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
        for (String secret : files.secrets()) {
            text = text.replace(secret, "<redacted>");
        }
        return text.length() > MOST_WORDS ? text.substring(text.length() - MOST_WORDS) : text;
    }

    /** From engine 23 on a daemon can be asked before anything is touched. */
    private void validate(DaemonFiles files) {
        disk.keep("candidate.json", Json.write(files.json()));
        Path candidate = place.home().resolve("candidate.json");
        try {
            Process asked =
                    new ProcessBuilder(
                                    "dockerd", "--validate", "--config-file", candidate.toString())
                            .redirectErrorStream(true)
                            .start();
            asked.getOutputStream().close();
            String said =
                    new String(
                            asked.getInputStream().readNBytes(MOST_WORDS), StandardCharsets.UTF_8);
            if (!asked.waitFor(10, TimeUnit.SECONDS)) {
                asked.destroyForcibly();
                return;
            }
            // TLS files are written later; that they are missing now is no fault of the settings.
            if (asked.exitValue() != 0 && !said.contains("unknown flag") && files.tls().isEmpty()) {
                throw refused(said.strip());
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "dockerd cannot be asked", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            disk.forget("candidate.json");
        }
    }

    // --- containers

    private record Found(String id, String name, boolean ours, boolean running) {}

    private List<Found> running() {
        return all().stream().filter(Found::running).toList();
    }

    private List<Found> all() {
        var found = new ArrayList<Found>();
        awaitAnswer();
        for (Map<String, Object> row : engine.listContainers(Map.of(), LIST_LIMIT)) {
            Fields f = Fields.of(row, "container");
            List<String> names = f.strings("Names");
            String name = names.isEmpty() ? f.string("Id") : names.getFirst().replace("/", "");
            boolean ours = f.object("Labels").has(Labels.INSTANCE);
            boolean stands = List.of("exited", "dead", "created").contains(f.string("State", ""));
            found.add(new Found(f.string("Id"), name, ours, !stands));
        }
        return found;
    }

    private void awaitAnswer() {
        if (!within(START_LIMIT, () -> engine.ping(Duration.ofSeconds(1)))) {
            throw new EngineException(503, "the Docker daemon of the VM does not answer");
        }
    }
}
