package dev.berth.alerts;

import dev.berth.alerts.Outbox.Parcel;
import dev.berth.model.Clock;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Brings one sink what waits for it, on a thread of its own, in order within each alert, until it
 * is taken: whoever is away is asked again with back-off, and delays nobody else.
 */
public final class Courier implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Courier.class.getName());
    private static final int AT_ONCE = 200;

    /**
     * How long is waited for what.
     *
     * @param delivery one try, whatever it hangs on
     * @param first after the first try in vain; doubled by each one more
     * @param longest between two tries
     * @param refusals so often is tried what the other side refuses
     * @param keep what is older is given up
     */
    public record Patience(
            Duration delivery, Duration first, Duration longest, int refusals, Duration keep) {
        public static final Patience USUAL =
                new Patience(
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(60),
                        8,
                        Duration.ofDays(7));

        Duration after(long tries) {
            Duration pause = first.multipliedBy(1L << Math.min(tries, 20));
            return pause.compareTo(longest) < 0 ? pause : longest;
        }
    }

    /**
     * How it goes.
     *
     * @param failingSince null: the last try was taken, or there was none
     * @param said what the other side said last
     */
    public record Status(
            long delivered,
            long failures,
            long dropped,
            @Nullable Instant failingSince,
            String said) {}

    private final String name;
    private final Sink sink;
    private final Outbox outbox;
    private final Clock clock;
    private final Patience patience;
    private final @Nullable Duration digest;
    private final Semaphore news = new Semaphore(0);
    private volatile boolean open = true;
    private volatile Status status = new Status(0, 0, 0, null, "");
    private Instant awayUntil = Instant.MIN;
    private long inVain;
    private @Nullable Thread thread;

    /**
     * @param digest so often is told what has come meanwhile, in one; null: at once
     */
    public Courier(
            String name,
            Sink sink,
            Outbox outbox,
            Clock clock,
            Patience patience,
            @Nullable Duration digest) {
        this.name = name;
        this.sink = sink;
        this.outbox = outbox;
        this.clock = clock;
        this.patience = patience;
        this.digest = digest;
    }

    public void start() {
        thread = Thread.ofVirtual().name("courier-" + name).start(this::run);
    }

    /** Something waits; from any thread, and returns at once. */
    public void poke() {
        if (news.availablePermits() == 0) {
            news.release();
        }
    }

    public Status status() {
        return status;
    }

    public Sink sink() {
        return sink;
    }

    @Override
    public void close() {
        open = false;
        if (thread != null) {
            thread.interrupt();
        }
        sink.close();
    }

    private void run() {
        try {
            while (open) {
                Instant next;
                try {
                    next = turn();
                } catch (RuntimeException e) {
                    LOG.log(Level.ERROR, "sink=" + name + " goes on after", e);
                    next = clock.now().plus(patience.longest());
                }
                long rest = Duration.between(clock.now(), next).toMillis();
                if (rest > 0 && news.tryAcquire(rest, TimeUnit.MILLISECONDS)) {
                    news.drainPermits();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    /** One try at most; returns when to come again. */
    Instant turn() throws InterruptedException {
        Instant now = clock.now();
        if (now.isBefore(awayUntil)) {
            return awayUntil;
        }
        List<Parcel> waiting = outbox.waiting(name, AT_ONCE);
        List<Parcel> old =
                waiting.stream()
                        .filter(p -> p.createdAt().plus(patience.keep()).isBefore(now))
                        .toList();
        if (!old.isEmpty()) {
            drop(old, "nobody took it for " + patience.keep().toHours() + " h");
            return now;
        }
        Instant next = now.plus(patience.longest());
        if (digest != null) {
            if (waiting.isEmpty()) {
                return next;
            }
            Instant due = waiting.getFirst().createdAt().plus(digest);
            if (now.isBefore(due)) {
                return due;
            }
            tell(waiting);
            return clock.now();
        }
        Set<Long> held = new HashSet<>();
        for (Parcel parcel : waiting) {
            // What follows in the same alert waits for what came before.
            boolean first = !held.contains(parcel.notice().incident().number());
            if (first && !now.isBefore(parcel.dueAt())) {
                tell(List.of(parcel));
                return clock.now();
            }
            held.add(parcel.notice().incident().number());
            next = first && parcel.dueAt().isBefore(next) ? parcel.dueAt() : next;
        }
        return next;
    }

    private void tell(List<Parcel> parcels) throws InterruptedException {
        try {
            String said = deliver(parcels.stream().map(Parcel::notice).toList());
            outbox.delivered(name, parcels, said);
            if (status.failingSince != null) {
                LOG.log(Level.INFO, "sink={0} state=back said={1}", name, said);
            }
            inVain = 0;
            status =
                    new Status(
                            status.delivered + parcels.size(),
                            status.failures,
                            status.dropped,
                            null,
                            said);
        } catch (SinkException e) {
            failed(parcels, e);
        }
    }

    private void failed(List<Parcel> parcels, SinkException e) {
        String said = String.valueOf(e.getMessage());
        Instant now = clock.now();
        Instant since = status.failingSince == null ? now : status.failingSince;
        status = new Status(status.delivered, status.failures + 1, status.dropped, since, said);
        LOG.log(Level.WARNING, "sink={0} state=failing since={1} said={2}", name, since, said);
        long tries = parcels.getFirst().attempts();
        if (e.kind() == SinkException.Kind.REFUSED) {
            if (tries + 1 >= patience.refusals()) {
                drop(parcels, "refused " + (tries + 1) + " times: " + said);
            } else {
                outbox.failed(name, parcels, now.plus(patience.after(tries)), said);
            }
            return;
        }
        awayUntil = now.plus(patience.after(inVain++));
        outbox.failed(name, parcels, awayUntil, said);
    }

    private void drop(List<Parcel> parcels, String why) {
        LOG.log(
                Level.ERROR,
                "sink={0} dropped={1} reason={2}; mend the sink, then: berth alerts test {0}",
                name,
                parcels.stream().map(p -> p.notice().id()).toList(),
                why);
        outbox.dropped(name, parcels, why);
        status =
                new Status(
                        status.delivered,
                        status.failures,
                        status.dropped + parcels.size(),
                        status.failingSince,
                        why);
    }

    /** Past the outbox, for a person who waits for the answer. */
    public String test(Notice notice) throws SinkException, InterruptedException {
        return deliver(List.of(notice));
    }

    /** Within the time of one try, on whatever it hangs. */
    private String deliver(List<Notice> notices) throws SinkException, InterruptedException {
        var said = new ArrayList<String>(1);
        var failure = new ArrayList<Throwable>(1);
        Thread work =
                Thread.ofVirtual()
                        .name("deliver-" + name)
                        .start(() -> {
                            try {
                                said.add(sink.deliver(notices));
                            } catch (SinkException | InterruptedException | RuntimeException e) {
                                failure.add(e);
                            }
                        });
        try {
            if (!work.join(patience.delivery())) {
                work.interrupt();
                sink.abort();
                throw new SinkException(
                        SinkException.Kind.AWAY,
                        "no answer within " + patience.delivery().toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            work.interrupt();
            throw e;
        }
        if (!said.isEmpty()) {
            return said.getFirst();
        }
        Throwable e = failure.getFirst();
        if (e instanceof SinkException known) {
            throw known;
        }
        LOG.log(Level.ERROR, "sink=" + name, e);
        throw new SinkException(
                SinkException.Kind.AWAY, "the sink failed: " + e.getClass().getSimpleName());
    }
}
