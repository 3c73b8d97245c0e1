package dev.berth.supervisor;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.Clock;
import dev.berth.model.ContainerSpec;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the containers of one instance as wished: the threads around a {@link Reconciler}. One
 * worker decides; looks and steps run on virtual threads of their own and report back. Closing it,
 * or the death of its process, stops no container: the next one takes over what runs.
 *
 * <p>All methods are thread-safe. Nothing happens to containers before {@link #open()}, and nothing
 * while {@link #daemon} says that the daemon is not up. The given clock must run with real time.
 */
public final class Supervisor implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Supervisor.class.getName());

    /** Lists that events ask for are at least this far apart. */
    private static final Duration LIST_SPACING = Duration.ofMillis(250);

    private static final Duration SECOND_PROOF = Duration.ofSeconds(1);
    private static final Duration LIST_DELAY = Duration.ofMillis(20);

    private final SupervisorConfig config;
    private final Clock clock;
    private final DiskProof proof;
    private final SupervisorMemory memory;
    private final EngineExecutor executor;
    private final EngineLook look;
    private final ImageKeeper images;
    private final Changes changes = new Changes();
    private final Semaphore pulls = new Semaphore(SupervisorConfig.PULLS);
    private final Semaphore starts = new Semaphore(SupervisorConfig.STARTS);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition stirred = lock.newCondition();
    private final Condition turned = lock.newCondition();

    // Everything below belongs to the lock.
    private final Reconciler reconciler = new Reconciler(RandomGenerator.getDefault());
    private final Map<String, String> lastLogs = new HashMap<>();
    private DaemonState daemon = DaemonState.UNKNOWN;
    private String writtenCounters = "";
    private @Nullable Wish good;
    private boolean dirty;
    private boolean looking;
    private boolean closed;
    private Instant lastLook = Instant.EPOCH;
    private @Nullable Instant wantedLook;

    public Supervisor(
            Engine engine,
            SupervisorConfig config,
            Clock clock,
            DiskProof proof,
            RegistryAuths auths,
            SupervisorMemory memory) {
        this.config = config;
        this.clock = clock;
        this.proof = proof;
        this.memory = memory;
        this.executor = new EngineExecutor(engine, config, proof, auths);
        this.images = new ImageKeeper(engine, memory, clock);
        this.look = new EngineLook(engine, config.instance(), this::heard, this::unheard);
    }

    /** Recalls what was wished and begins to work. Once only. */
    public void open() {
        lock.lock();
        try {
            images.open();
            memory.read(MemoryText.WISH)
                    .map(MemoryText::wish)
                    .ifPresent(wish -> {
                        reconciler.wish(wish);
                        images.wished(wish.images());
                    });
            memory.read(MemoryText.COUNTERS)
                    .map(text -> MemoryText.memos(text, config.bootId()))
                    .ifPresent(reconciler::remember);
            SetBack.mend(reconciler.memos().values(), clock.now());
            changes.begin(reconciler.memos());
        } finally {
            lock.unlock();
        }
        Thread.ofVirtual().name("supervisor").start(this::work);
        changes.open();
    }

    public void addListener(SupervisorListener listener) {
        changes.add(listener);
    }

    // --- what is wished

    /**
     * Gets every image that these containers need, and their network; touches nothing else.
     *
     * @throws ProblemException naming each container, its image and what the registry or the build
     *     answered
     */
    public void prepare(List<ContainerSpec> specs) throws InterruptedException {
        awaitDaemon();
        Map<String, List<ContainerSpec>> byImage = new LinkedHashMap<>();
        for (ContainerSpec spec : specs) {
            byImage.computeIfAbsent(Images.nameOf(spec), image -> new ArrayList<>()).add(spec);
        }
        images.preparing(byImage.keySet());
        List<Problem> problems = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        byImage.forEach((image, users) ->
                threads.add(
                        Thread.ofVirtual()
                                .name("prepare " + image)
                                .start(() -> prepare(image, users, problems))));
        if (!specs.isEmpty()) {
            // Takes a few tenths of a second that would else come after the images.
            threads.add(Thread.ofVirtual().name("prepare network").start(executor::prepareNetwork));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (!problems.isEmpty()) {
            throw new ProblemException(List.copyOf(problems));
        }
    }

    private void prepare(String image, List<ContainerSpec> users, List<Problem> problems) {
        pulls.acquireUninterruptibly();
        try {
            switch (executor.ensureImage(users.getFirst(), true)) {
                case Outcome.Done _, Outcome.Created _ ->
                        locked(() -> reconciler.imageIsHere(image));
                case Outcome.Failed failed -> problems.add(imageProblem(users, failed.reason()));
                case Outcome.Unknown unknown -> problems.add(imageProblem(users, unknown.reason()));
            }
        } finally {
            pulls.release();
        }
    }

    private static Problem imageProblem(List<ContainerSpec> users, String words) {
        return Problem.at(
                "container "
                        + users.stream().map(ContainerSpec::name).collect(Collectors.joining(", ")),
                words,
                "check the image's name and that the registry has it");
    }

    private void awaitDaemon() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long left = SupervisorConfig.DAEMON_PATIENCE.toNanos();
            while (!daemon.operating()) {
                if (left <= 0) {
                    throw new ProblemException(
                            100, "the Docker daemon of the VM does not answer: it is " + daemon);
                }
                left = turned.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Says which containers there should be. When the instance is started, what differs moves at
     * once: a changed container and its dependents, and nothing else. The same wish again does
     * nothing.
     *
     * @throws ProblemException for a cycle of dependencies or two containers of one name; the old
     *     wish then stays
     */
    public void wish(List<ContainerSpec> specs) {
        wish(specs, "");
    }

    /** The same, with the wisher's own words about it, for {@link #goodMark}. */
    public void wish(List<ContainerSpec> specs, String mark) {
        Wish fresh = Wish.of(specs, mark, false);
        locked(() -> {
            Wish old = reconciler.wish();
            remember(fresh.running(old != null && old.running()));
        });
    }

    /**
     * Wishes again what ran well last: every container up or done at once. What the present wish
     * has changed since goes back, and nothing else moves. Without any such wish it does nothing.
     */
    public void rollBack() {
        locked(() -> {
            Wish present = reconciler.wish();
            boolean running = present == null || present.running();
            goodWish().ifPresent(wish -> remember(wish.running(running)));
        });
    }

    /** The mark of the wish that {@link #rollBack} goes back to; empty when there is none. */
    public Optional<String> goodMark() {
        return goodWish().map(Wish::mark);
    }

    private Optional<Wish> goodWish() {
        return memory.read(MemoryText.GOOD).map(MemoryText::wish);
    }

    /**
     * Wishes that the containers run; returns at once, {@link #status} tells how far it is. Without
     * any wish it does nothing: what may run from before a lost memory is then not ours to judge.
     */
    public void start() {
        locked(() -> {
            Wish wish = reconciler.wish();
            if (wish != null) {
                remember(wish.running(true));
            }
        });
    }

    /** Whether the containers are wished to run. */
    public boolean wantsRunning() {
        lock.lock();
        try {
            Wish wish = reconciler.wish();
            return wish != null && wish.running();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Wishes that the containers stop, dependents first, and waits for it.
     *
     * @return names of those that still run when the limit is over; empty when all is quiet
     */
    public List<String> stop(Duration limit) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            remember(presentWish().running(false));
            stir();
            long left = limit.toNanos();
            while (left > 0 && !quiet()) {
                left = turned.awaitNanos(left);
            }
            return reconciler.stillRunning();
        } finally {
            lock.unlock();
        }
    }

    private boolean quiet() {
        return reconciler.listed() && reconciler.stillRunning().isEmpty() && reconciler.idle();
    }

    private Wish presentWish() {
        Wish wish = reconciler.wish();
        return wish == null ? Wish.of(List.of(), false) : wish;
    }

    private void remember(Wish wish) {
        memory.write(MemoryText.WISH, MemoryText.ofWish(wish));
        reconciler.wish(wish);
        images.wished(wish.images());
    }

    /** Stops one container and starts it again, its dependents with it; counters begin anew. */
    public void restartContainer(String name) {
        locked(() -> reconciler.operatorRestart(name));
    }

    /** Stops one container, and its dependents, until {@link #startContainer}. */
    public void stopContainer(String name) {
        locked(() -> reconciler.operatorStop(name));
    }

    public void startContainer(String name) {
        locked(() -> reconciler.operatorStart(name));
    }

    // --- what is told

    /** The disk was mounted, unmounted or exchanged: it is proven anew. */
    public void diskChanged() {
        DiskStates states = prove();
        locked(() -> reconciler.disks(states));
    }

    /** Tells where the daemon stands. */
    public void daemon(DaemonState state) {
        locked(() -> {
            if (state.operating() && !daemon.operating()) {
                executor.forgetNetwork();
                lastLook = Instant.EPOCH;
            }
            daemon = state;
            reconciler.daemon(state.operating());
        });
    }

    /**
     * Whether everything has been listed since the daemon came back: what survived it is taken
     * over.
     */
    public boolean reconciled() {
        lock.lock();
        try {
            return reconciler.daemonUp() && reconciler.listed();
        } finally {
            lock.unlock();
        }
    }

    public SupervisorStatus status() {
        lock.lock();
        try {
            return new StatusReport(reconciler, lastLogs, daemon).make();
        } finally {
            lock.unlock();
        }
    }

    /** Ends the threads; containers are left as they are. */
    @Override
    public void close() {
        locked(() -> closed = true);
        look.close();
        changes.close();
    }

    // --- the worker

    private void locked(Runnable change) {
        lock.lock();
        try {
            change.run();
            stir();
        } finally {
            lock.unlock();
        }
    }

    private void stir() {
        lock.lock();
        try {
            dirty = true;
            stirred.signal();
        } finally {
            lock.unlock();
        }
    }

    private void heard(EngineEvent event) {
        locked(() -> reconciler.event(event, clock.now()));
    }

    /** The stream of events broke: what it would have told is looked for. */
    private void unheard() {
        locked(reconciler::wantList);
    }

    private void work() {
        lock.lock();
        try {
            while (!closed) {
                Instant wake = turnSafely();
                turned.signalAll();
                while (!dirty && !closed) {
                    long nanos = Duration.between(clock.now(), wake).toNanos();
                    if (nanos <= 0) {
                        break;
                    }
                    stirred.awaitNanos(nanos);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    /** A broken decision is told loudly and tried anew; it must not end the supervision. */
    private Instant turnSafely() {
        try {
            return turn();
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "a turn of the supervisor failed", e);
            return clock.now().plusSeconds(1);
        }
    }

    private Instant turn() {
        dirty = false;
        Instant now = clock.now();
        long began = System.nanoTime();
        Decision decision = reconciler.turn(now);
        writeCounters();
        LOG.log(
                System.Logger.Level.DEBUG,
                () ->
                        "turn containers="
                                + reconciler.memos().size()
                                + " micros="
                                + microsSince(began)
                                + " steps="
                                + decision.steps().size());
        decision.steps().forEach(this::begin);
        decision.exits().forEach(this::keepLastLines);
        changes.note(reconciler.memos(), now);
        noteGood();
        if (reconciler.daemonUp() && reconciler.idle()) {
            images.turn(now);
        }
        Instant due = lookDue(now);
        if (!now.isBefore(due)) {
            beginLook(now);
            due = now.plus(config.lookPeriod());
        }
        Instant wake = decision.wake();
        return wake != null && wake.isBefore(due) ? wake : due;
    }

    /** All run as wished: this is what a later wish that fails can go back to. */
    private void noteGood() {
        Wish present = reconciler.wish();
        if (present == null || !present.running() || present == good) {
            return;
        }
        if (!new StatusReport(reconciler, lastLogs, daemon).isRunning()) {
            return;
        }
        good = present;
        try {
            memory.write(MemoryText.GOOD, MemoryText.ofWish(present));
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "the supervisor cannot write its memory", e);
        }
    }

    /** Before the steps begin, so that after a crash their intent is known. */
    private void writeCounters() {
        String text = MemoryText.ofMemos(config.bootId(), reconciler.memos());
        if (text.equals(writtenCounters)) {
            return;
        }
        try {
            memory.write(MemoryText.COUNTERS, text);
            writtenCounters = text;
        } catch (RuntimeException e) {
            // Supervising without a memory is better than not supervising.
            LOG.log(System.Logger.Level.WARNING, "the supervisor cannot write its memory", e);
        }
    }

    private void begin(Step step) {
        LOG.log(
                System.Logger.Level.DEBUG,
                () ->
                        step.getClass().getSimpleName()
                                + " container="
                                + step.container()
                                + " reason="
                                + step.reason());
        Thread.ofVirtual().name("step " + step.container()).start(() -> act(step));
    }

    private void act(Step step) {
        Outcome outcome;
        try {
            outcome = limited(step);
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "a step for " + step.container() + " broke", e);
            outcome = new Outcome.Unknown(String.valueOf(e.getMessage()));
        }
        Outcome told = outcome;
        locked(() -> reconciler.outcome(step, told, clock.now()));
    }

    private Outcome limited(Step step) {
        Semaphore limit =
                switch (step) {
                    case Step.PullImage _, Step.BuildImage _ -> pulls;
                    case Step.CreateContainer _, Step.UpdateContainer _, Step.StartContainer _ ->
                            starts;
                    case Step.StopContainer _, Step.RemoveContainer _ -> null;
                };
        if (limit == null) {
            return executor.run(step);
        }
        limit.acquireUninterruptibly();
        try {
            return executor.run(step);
        } finally {
            limit.release();
        }
    }

    /** Beside the restart, not before it: the old output is there a while yet. */
    private void keepLastLines(String name, String id) {
        Thread.ofVirtual()
                .name("log " + name)
                .start(() -> {
                    String lines = look.lastLines(id);
                    locked(() -> lastLogs.put(name, lines));
                });
    }

    // --- looks

    private Instant lookDue(Instant now) {
        if (looking || !reconciler.daemonUp()) {
            return now.plus(config.lookPeriod());
        }
        Instant due = lastLook.plus(config.lookPeriod());
        if (reconciler.listWanted()) {
            Instant soon = reconciler.listed() ? now.plus(LIST_DELAY) : now;
            Instant spaced = lastLook.plus(LIST_SPACING);
            wantedLook = wantedLook == null ? later(soon, spaced) : wantedLook;
            due = due.isBefore(wantedLook) ? due : wantedLook;
        }
        return due;
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    private void beginLook(Instant now) {
        looking = true;
        lastLook = now;
        wantedLook = null;
        long number = reconciler.listBegins();
        Map<String, Memo> memos = new TreeMap<>(reconciler.memos());
        Map<String, Observed> known = new HashMap<>();
        reconciler.seen().forEach(o -> known.put(o.id(), o));
        Thread.ofVirtual().name("look").start(() -> lookOnce(number, memos, known));
    }

    private static long microsSince(long nanos) {
        return (System.nanoTime() - nanos) / 1000;
    }

    private void lookOnce(long number, Map<String, Memo> memos, Map<String, Observed> known) {
        long began = System.nanoTime();
        try {
            look.listen();
            List<Observed> list = look.list(memos, known);
            DiskStates states = proveSurely();
            locked(() -> {
                reconciler.disks(states);
                reconciler.listed(number, list, clock.now());
                lastLogs.keySet().retainAll(reconciler.memos().keySet());
                // Within the lock: the turn that follows tells of itself after it.
                LOG.log(
                        System.Logger.Level.DEBUG,
                        () -> "look containers=" + list.size() + " micros=" + microsSince(began));
            });
        } catch (EngineException e) {
            // The watch of the daemon judges what that means; here it is only one missed look.
            LOG.log(System.Logger.Level.DEBUG, "a look failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            locked(() -> looking = false);
        }
    }

    /**
     * A disk that was sound is believed to be bad only when it is so twice: stopping a database for
     * one read that hiccuped would be the greater harm. Starts are held to a proof of their own.
     */
    private DiskStates proveSurely() throws InterruptedException {
        DiskStates states = prove();
        if (states.lostSince(status().disks())) {
            clock.sleep(SECOND_PROOF);
            return prove();
        }
        return states;
    }

    private DiskStates prove() {
        try {
            return proof.proveAll();
        } catch (RuntimeException e) {
            return DiskStates.ofStore(
                    new DiskState.Unproven("it could not be looked at: " + e.getMessage()));
        }
    }
}
