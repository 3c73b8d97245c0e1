package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.monitor.AlertSink;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the pools of spare VMs as the cloud config says: looks, and where something is to be done
 * has a task do it, one at a time, after whatever is more urgent. Without pools it only reads the
 * cloud config now and then. Thread-safe.
 */
final class VmPools implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(VmPools.class.getName());

    static final String TASK = "vm_pools";
    static final String USER = "vm_pools";

    private static final Duration OFTEN = Duration.ofSeconds(2);
    private static final Duration SELDOM = Duration.ofSeconds(10);
    private static final Duration SETTLE = Duration.ofMillis(500);
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(5);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

    /** What else goes on comes first, but not for ever. */
    private static final Duration MOST_WAITING = Duration.ofMinutes(2);

    /** After a start every agent is heard within this, or something is wrong with it. */
    private static final Duration INTRODUCTION = Duration.ofSeconds(30);

    private static final int MOST_TASKS = 1000;

    private final Hands hands;
    private final Tasks tasks;
    private final FleetWatch view;
    private final PoolWishes wishes;
    private final PoolImages images;
    private final PoolAlarm alarm;
    private final Semaphore changed = new Semaphore(1);
    private final Instant since;
    private @Nullable Thread keeper;

    private @Nullable Long last;
    private int failures;
    private Instant notBefore = Instant.MIN;
    private @Nullable Instant waitingSince;
    private volatile String trouble = "";

    VmPools(Hands hands, Tasks tasks, FleetWatch view, Variables variables, AlertSink alerts) {
        this.hands = hands;
        this.tasks = tasks;
        this.view = view;
        this.wishes = new PoolWishes(variables);
        this.images = new PoolImages(hands.clock());
        this.alarm = new PoolAlarm(alerts);
        this.since = hands.clock().steady();
        var job = new PoolJob(hands, this);
        tasks.register(TASK, payload -> job::run);
    }

    void start() {
        keeper = Thread.ofVirtual().name("vm-pools").start(this::keep);
    }

    /** The store was written. */
    void changed() {
        if (changed.availablePermits() == 0) {
            changed.release();
        }
    }

    private void keep() {
        try {
            while (true) {
                Instant next;
                try {
                    next = turn();
                } catch (RuntimeException e) {
                    LOG.log(System.Logger.Level.ERROR, "the vm pools cannot be looked at", e);
                    next = hands.clock().steady().plus(SELDOM);
                }
                boolean pools = next.isBefore(hands.clock().steady().plus(SELDOM.dividedBy(2)));
                Duration rest = Duration.between(hands.clock().steady(), next);
                if (pools) {
                    Thread.sleep(SETTLE);
                    boolean ignored =
                            changed.tryAcquire(Math.max(1, rest.toMillis()), TimeUnit.MILLISECONDS);
                } else {
                    hands.clock().sleep(rest);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        if (keeper != null) {
            keeper.interrupt();
        }
    }

    // --- looking

    /** What is wished, what there is, and what is to be done about it. */
    record Look(
            PoolWishes.Read wishes,
            List<Rows.Spare> spares,
            PoolPlan plan,
            Map<String, PoolImages.Wanted> images) {}

    Look look() {
        return hands.store().read(this::look);
    }

    private Look look(StoreSession session) {
        PoolWishes.Read wished = wishes.read(session);
        List<Rows.Spare> spares = session.spares();
        if (wished.pools().isEmpty() && spares.isEmpty()) {
            return new Look(wished, spares, PoolPlan.nothing(), Map.of());
        }
        Map<String, PoolImages.Wanted> wanted = images.of(session, wished.pools());
        var seen =
                new PoolPlan.Seen(
                        spares,
                        spare -> session.vm(spare.agent()).isPresent(),
                        this::isUnheard,
                        wish -> wanted.getOrDefault(wish.name(), PoolImages.NONE).digest());
        return new Look(wished, spares, PoolPlan.of(wished, seen), wanted);
    }

    private boolean isUnheard(Rows.Spare spare) {
        boolean known =
                view.lastSeen(spare.agent()).isPresent()
                        || hands.clock().steady().isAfter(since.plus(INTRODUCTION))
                                && hands.clock()
                                        .now()
                                        .isAfter(spare.createdAt().plus(INTRODUCTION));
        return view.isBusUp() && known && !view.responsive(spare.agent());
    }

    // --- deciding

    /**
     * Has done what is to be done, when it is time for it.
     *
     * @return when to come again
     */
    Instant turn() {
        Instant now = hands.clock().steady();
        Look look = look();
        if (look.wishes().pools().isEmpty()
                && look.wishes().problems().isEmpty()
                && look.spares().isEmpty()) {
            alarm.none();
            return now.plus(SELDOM);
        }
        alarm.look(look, trouble, now);
        if (look.plan().isEmpty()) {
            waitingSince = null;
            failures = 0;
            trouble = "";
            return now.plus(OFTEN);
        }
        heed(now);
        if (!look.plan().make().isEmpty() && !hands.cpi().readdressesVms()) {
            trouble =
                    "this cloud cannot give a VM another address, so that no instance could take a"
                            + " spare one";
            if (look.plan().canWait()) {
                return now.plus(SELDOM);
            }
        }
        if (!now.isBefore(notBefore) && isTime(look.plan(), now)) {
            last = tasks.enqueue(TASK, "keep vm pools", USER, null, "", Json.of()).id();
        }
        return now.plus(OFTEN);
    }

    /** What came of the last task decides how soon the next one is. */
    private void heed(Instant now) {
        Long id = last;
        if (id == null) {
            return;
        }
        Rows.Task task = hands.store().read(s -> s.task(id)).orElse(null);
        if (task != null && Tasks.UNFINISHED.contains(task.state())) {
            return;
        }
        last = null;
        if (task != null && task.state().equals("error")) {
            long pause =
                    Math.min(
                            LONGEST_PAUSE.toMillis(),
                            FIRST_PAUSE.toMillis() << Math.min(failures, 8));
            failures++;
            notBefore = now.plusMillis(pause);
            trouble = String.valueOf(task.result());
        } else {
            failures = 0;
            trouble = "";
        }
    }

    private boolean isTime(PoolPlan plan, Instant now) {
        List<Rows.Task> unfinished = unfinished();
        if (unfinished.stream().anyMatch(t -> t.type().equals(TASK))) {
            return false;
        }
        if (plan.canWait() && unfinished.stream().anyMatch(VmPools::isMoreUrgent)) {
            waitingSince = waitingSince == null ? now : waitingSince;
            return now.isAfter(waitingSince.plus(MOST_WAITING));
        }
        return true;
    }

    private List<Rows.Task> unfinished() {
        return hands.store().read(s -> s.tasks(Tasks.UNFINISHED, null, null, MOST_TASKS));
    }

    /** Whether a deploy or a repair goes on, for which spare VMs are to be out of the way. */
    boolean isInTheWay() {
        return unfinished().stream().anyMatch(VmPools::isMoreUrgent)
                && (waitingSince == null
                        || hands.clock().steady().isBefore(waitingSince.plus(MOST_WAITING)));
    }

    private static boolean isMoreUrgent(Rows.Task task) {
        return List.of(
                        DeploymentsApi.UPDATE,
                        DeploymentsApi.DELETE,
                        DeploymentsApi.SCAN_AND_FIX,
                        CloudCheck.APPLY)
                .contains(task.type());
    }

    // --- listing

    /** For {@code berth vms}: the pools with what they have. */
    List<Map<String, Object>> list() {
        Look look = look();
        var names = new java.util.TreeMap<String, Integer>();
        look.wishes().pools().forEach(w -> names.put(w.name(), w.size()));
        look.wishes().problems().keySet().forEach(name -> names.putIfAbsent(name, 0));
        look.spares().forEach(s -> names.putIfAbsent(s.pool(), 0));
        Map<String, String> addresses =
                hands.store().read(s -> s.ips()).stream()
                        .collect(
                                Collectors.toMap(
                                        ip -> ip.instance().value(),
                                        Rows.Ip::address,
                                        (a, b) -> a));
        var pools = new ArrayList<Map<String, Object>>();
        names.forEach((name, size) -> {
            List<Rows.Spare> own =
                    look.spares().stream().filter(s -> s.pool().equals(name)).toList();
            long ready = own.stream().filter(s -> s.is(Rows.Spare.READY)).count();
            if (size > 0 || !own.isEmpty() || look.wishes().problems().containsKey(name)) {
                String problem =
                        ready < size || look.wishes().problems().containsKey(name)
                                ? look.wishes().problems().getOrDefault(name, trouble)
                                : "";
                pools.add(
                        Json.of(
                                "name",
                                name,
                                "size",
                                size,
                                "ready",
                                ready,
                                "problem",
                                problem,
                                "vms",
                                own.stream().map(s -> row(s, addresses)).toList()));
            }
        });
        return pools;
    }

    private Map<String, Object> row(Rows.Spare spare, Map<String, String> addresses) {
        Map<?, ?> stemcell =
                spare.shape().get("stemcell") instanceof Map<?, ?> map ? map : Map.of();
        String address = addresses.get(spare.agent().value());
        boolean silent = spare.is(Rows.Spare.READY) && !view.responsive(spare.agent());
        return Json.of(
                "job_name",
                spare.pool(),
                "id",
                spare.agent().value(),
                "agent_id",
                spare.agent().value(),
                "job_state",
                silent ? "unresponsive agent" : spare.state(),
                "az",
                spare.shape().get("az"),
                "ips",
                address == null ? List.of() : List.of(address),
                "vm_cid",
                spare.cid() == null ? null : spare.cid().value(),
                "vm_type",
                spare.shape().get("vm_type"),
                "active",
                false,
                "prepared",
                !spare.images().isEmpty(),
                "vm_created_at",
                Times.rfc3339(spare.createdAt()),
                "stemcell",
                Json.of("name", stemcell.get("name"), "version", stemcell.get("version")));
    }
}
