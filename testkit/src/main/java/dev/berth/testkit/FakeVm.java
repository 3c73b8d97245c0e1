package dev.berth.testkit;

import dev.berth.bus.AgentException;
import dev.berth.bus.AgentException.Kind;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.ContainerSpec;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.wire.AgentState.ContainerState;
import dev.berth.wire.ApplySpec;
import dev.berth.wire.Heartbeat;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The inside of one VM: agent, supervisor and containers as a model in memory. What the real ones
 * keep on the VM's own disk survives a reboot here, what they keep in memory does not.
 */
public final class FakeVm {
    /** A container that runs. */
    public record Running(ContainerSpec spec, String id, Instant readyAt) {}

    /**
     * What is on a persistent disk.
     *
     * @param ledger what its containers have written; the disk's own, and goes on changing
     * @param supersededBy the disk that has taken its place, written on this one; null: it is live
     */
    public record Content(
            DiskCid identity, long fileSystemMb, Ledger ledger, @Nullable DiskCid supersededBy) {
        Content ofSize(long nowMb) {
            return new Content(identity, nowMb, ledger, supersededBy);
        }

        Content supersededBy(@Nullable DiskCid next) {
            return new Content(identity, fileSystemMb, ledger, next);
        }
    }

    /** The disks' contents: they outlive VMs. */
    static final class Contents {
        private final Map<DiskCid, Content> contents = new HashMap<>();

        Optional<Content> of(DiskCid disk) {
            return Optional.ofNullable(contents.get(disk));
        }

        void put(DiskCid disk, Content content) {
            contents.put(disk, content);
        }
    }

    /** Sees what happens to containers and disks. */
    public interface Witness {
        default void started(FakeVm vm, ContainerSpec container, @Nullable DiskCid mounted) {}

        /**
         * @param cause {@code vm ended}, or the agent's action
         */
        default void stopped(FakeVm vm, ContainerSpec container, String cause) {}

        /** A container wrote a row and knows that it is on the disk. */
        default void wrote(FakeVm vm, DiskCid disk, Ledger.Row row) {}

        /** Something that a rule forbids was asked of this VM. */
        default void broken(FakeVm vm, String rule) {}
    }

    /** A container of an image with this tag never becomes ready. */
    public static final String BROKEN = "broken";

    private static final Duration START = Duration.ofMillis(300);

    private final VmCid cid;
    private final AgentId agent;
    private final FakeCloud cloud;
    private final Contents contents;
    private final Clock clock;
    private final Witness witness;

    // On the VM's own disk.
    private Map<String, Object> spec = new LinkedHashMap<>();
    private @Nullable List<ContainerSpec> wish;
    private boolean wanted;
    private Map<String, Object> goodSpec = Map.of();
    private @Nullable List<ContainerSpec> goodWish;

    /** Containers that a person stopped. */
    private final Set<String> held = new HashSet<>();

    private final FakeDisks disks;
    private @Nullable String record;

    // In memory.
    private final Map<String, Running> running = new LinkedHashMap<>();
    private boolean up;
    private boolean muted;
    private boolean cut;
    private int boots;
    private int made;
    private Instant busyUntil = Instant.MIN;

    FakeVm(
            VmCid cid,
            AgentId agent,
            FakeCloud cloud,
            Contents contents,
            Clock clock,
            Witness witness) {
        this.cid = cid;
        this.agent = agent;
        this.cloud = cloud;
        this.contents = contents;
        this.clock = clock;
        this.witness = witness;
        this.disks = new FakeDisks(cid, cloud, contents);
    }

    public VmCid cid() {
        return cid;
    }

    public AgentId agent() {
        return agent;
    }

    public boolean isUp() {
        return up;
    }

    public boolean isMuted() {
        return muted;
    }

    public Map<String, Running> running() {
        return Map.copyOf(running);
    }

    /** {@code instance id} of the spec it holds; empty before it was told. */
    public String instance() {
        return String.valueOf(spec.getOrDefault("id", ""));
    }

    public String group() {
        return String.valueOf(spec.getOrDefault("name", ""));
    }

    public String deployment() {
        return String.valueOf(spec.getOrDefault("deployment", ""));
    }

    /** The managed disk, where it is mounted. */
    public @Nullable DiskCid mounted() {
        return disks.mounted("");
    }

    /** Not heard, and no reboot changes that. */
    void cut() {
        cut = true;
        muted = true;
    }

    void mute(boolean value) {
        cut &= value;
        muted = value;
    }

    int boots() {
        return boots;
    }

    Instant busyUntil() {
        return busyUntil;
    }

    void busyUntil(Instant time) {
        busyUntil = time;
    }

    void boot() {
        up = true;
        muted = cut;
        boots++;
        busyUntil = Instant.MIN;
        disks.boot();
        reconcile("boot");
    }

    void end() {
        up = false;
        boots++;
        for (Running container : List.copyOf(running.values())) {
            stop(container, "vm ended");
        }
    }

    /**
     * Containers with data write a row each; whether anybody hears of the VM is nothing to them.
     */
    void work() {
        for (Running container : running.values()) {
            for (String name : container.spec().persistentDisks()) {
                work(container.spec().name(), name);
            }
        }
    }

    /** Only what goes to the managed disk is acknowledged to anybody. */
    private void work(String container, String name) {
        DiskCid disk = disks.mounted(name);
        if (disk == null) {
            witness.broken(this, "R2: " + container + " writes nowhere");
            return;
        }
        contents.of(disk)
                .ifPresent(c -> {
                    Ledger.Row row = c.ledger().append(cid, container);
                    if (name.isEmpty()) {
                        witness.wrote(this, disk, row);
                    }
                });
    }

    // --- actions

    @Nullable Object perform(String method, List<Object> arguments) {
        noteGood();
        return switch (method) {
            case "ping" -> "pong";
            case "info" -> Json.of("api_version", 1);
            case "get_state" -> state();
            case "update_settings" -> "updated";
            case "prepare" -> "prepared";
            case "expect_address" -> "expected";
            case "apply" -> apply(Json.asObject(arguments.getFirst()));
            case "roll_back" -> rollBack();
            case "start" -> start();
            case "stop" -> stopAll();
            case "stop_container" -> hold(String.valueOf(arguments.getFirst()), true);
            case "start_container" -> hold(String.valueOf(arguments.getFirst()), false);
            case "drain" -> 0L;
            case "run_script" -> Map.of();
            case "list_disk" -> disks.listedWithAside();
            case "add_persistent_disk" ->
                    disks.add(disk(arguments), options(arguments, 2, "disk options"));
            case "remove_persistent_disk" -> disks.remove(disk(arguments));
            case "mount_disk" ->
                    mount(
                            disk(arguments),
                            options(arguments, 1, "mount options").flag("revive", false));
            case "unmount_disk" -> unmount(disk(arguments));
            case "grow_disk" -> disks.grow(disk(arguments));
            case "copy_disk" -> disks.copy(disk(arguments), second(arguments));
            case "migrate_disk" -> migrate(disk(arguments), second(arguments));
            case "disk_report" -> disks.report();
            case "keep_record" -> keep(String.valueOf(arguments.getFirst()));
            case "get_record" -> Json.of("record", record);
            default -> throw new AgentException(Kind.UNKNOWN_METHOD, "unknown message " + method);
        };
    }

    private static DiskCid disk(List<Object> arguments) {
        return new DiskCid(String.valueOf(arguments.getFirst()));
    }

    private static DiskCid second(List<Object> arguments) {
        return new DiskCid(String.valueOf(arguments.get(1)));
    }

    private static Fields options(List<Object> arguments, int at, String what) {
        return Fields.of(arguments.size() > at ? arguments.get(at) : Map.of(), what);
    }

    private Object apply(Map<String, Object> tree) {
        ApplySpec next = ApplySpec.fromTree(tree);
        spec = tree;
        if (next.containers() != null) {
            wish = next.containers();
            reconcile("apply");
        }
        return "applied";
    }

    private void noteGood() {
        if (wanted && wish != null && jobState().equals("running")) {
            goodSpec = spec;
            goodWish = wish;
        }
    }

    private Object rollBack() {
        if (goodWish == null) {
            throw new AgentException(Kind.FAILED, "there is nothing to go back to");
        }
        spec = goodSpec;
        wish = goodWish;
        reconcile("roll_back");
        return "rolled back";
    }

    private Object start() {
        wanted = true;
        reconcile("start");
        return "started";
    }

    private Object stopAll() {
        wanted = false;
        reconcile("stop");
        return "stopped";
    }

    private Object hold(String name, boolean hold) {
        if (wish == null || wish.stream().noneMatch(c -> c.name().equals(name))) {
            throw new AgentException(Kind.FAILED, "this instance has no container '" + name + "'");
        }
        if (hold ? held.add(name) : held.remove(name)) {
            reconcile(hold ? "stop_container" : "start_container");
        }
        return hold ? "stopped" : "started";
    }

    private Object keep(String sealed) {
        record = sealed;
        return "kept";
    }

    private Object mount(DiskCid disk, boolean revive) {
        boolean live;
        try {
            live = disks.mount(disk, revive);
        } catch (IllegalStateException e) {
            witness.broken(this, String.valueOf(e.getMessage()));
            throw new AgentException(Kind.FAILED, String.valueOf(e.getMessage()));
        }
        disks.stranger(disk)
                .ifPresent(other -> witness.broken(this, "R2: disk " + disk + " holds " + other));
        if (live) {
            reconcile("mount_disk");
        }
        return Map.of();
    }

    private Object unmount(DiskCid disk) {
        String name = disks.name(disk);
        List<String> users = disks.isLive(disk) ? users(name) : List.of();
        if (!users.isEmpty()) {
            throw new AgentException(Kind.FAILED, "disk " + disk + " is in use by " + users);
        }
        return disks.unmount(disk);
    }

    private List<String> users(String disk) {
        return running.values().stream()
                .map(Running::spec)
                .filter(c -> c.persistentDisks().contains(disk))
                .map(ContainerSpec::name)
                .toList();
    }

    /** Who uses the disk stops for it, and starts again on the new one. */
    private Object migrate(DiskCid from, DiskCid to) {
        if (disks.mustMigrate(from, to)) {
            for (String user : users(disks.name(from)).reversed()) {
                stop(Objects.requireNonNull(running.get(user)), "migrate_disk");
            }
            disks.migrate(from, to);
            reconcile("migrate_disk");
        }
        return Json.of("files", 1L, "bytes", 0L, "verified_files", 1L, "stopped_ms", 1500L);
    }

    // --- supervisor

    /** What did not change is not touched; what depends on what changed moves with it. */
    private void reconcile(String cause) {
        Map<String, ContainerSpec> wished = new LinkedHashMap<>();
        if (wanted && wish != null) {
            wish.stream()
                    .filter(c -> !held.contains(c.name()))
                    .forEach(c -> wished.put(c.name(), c));
        }
        Set<String> moving = new HashSet<>();
        for (Running container : running.values()) {
            ContainerSpec next = wished.get(container.spec().name());
            if (next == null || !next.digest().equals(container.spec().digest())) {
                moving.add(container.spec().name());
            }
        }
        for (boolean more = true; more; ) {
            more = false;
            for (ContainerSpec next : wished.values()) {
                if (next.needs().stream().anyMatch(moving::contains)) {
                    more |= moving.add(next.name());
                }
            }
        }
        for (Running container : List.copyOf(running.values()).reversed()) {
            if (moving.contains(container.spec().name())) {
                stop(container, cause);
            }
        }
        DiskCid disk = mounted();
        for (ContainerSpec next : wished.values()) {
            boolean blocked = !disks.hasAll(next.persistentDisks());
            if (!running.containsKey(next.name()) && !blocked) {
                String id = cid + "-" + next.name() + "-" + ++made;
                Instant ready = isBroken(next) ? Instant.MAX : clock.now().plus(START);
                running.put(next.name(), new Running(next, id, ready));
                witness.started(this, next, disk);
            }
        }
    }

    private static boolean isBroken(ContainerSpec spec) {
        return String.valueOf(spec.image().reference()).endsWith(":" + BROKEN);
    }

    private void stop(Running container, String cause) {
        running.remove(container.spec().name());
        witness.stopped(this, container.spec(), cause);
    }

    public String jobState() {
        if (wish == null) {
            return "running";
        }
        if (!wanted) {
            return "stopped";
        }
        boolean starting = false;
        for (ContainerSpec next : wish) {
            Running container = running.get(next.name());
            if (held.contains(next.name())) {
                continue;
            }
            if (container == null) {
                return "failing";
            }
            starting |= container.readyAt().isAfter(clock.now());
        }
        return starting ? "starting" : "running";
    }

    // --- reports

    private Map<String, Object> state() {
        var state = new LinkedHashMap<String, Object>(spec);
        state.put("agent_id", agent.value());
        state.put("job_state", jobState());
        state.put("containers", containers());
        state.put("disks", disks.listed());
        return state;
    }

    Heartbeat heartbeat() {
        Map<String, Object> beat =
                Heartbeat.write(
                        deployment(),
                        group(),
                        0,
                        jobState(),
                        Map.of(),
                        instance(),
                        running.size(),
                        List.of(),
                        containers(),
                        disks.listed());
        return Heartbeat.fromTree(agent, beat);
    }

    private List<Map<String, Object>> containers() {
        var states = new ArrayList<Map<String, Object>>();
        for (ContainerSpec next : wish == null ? List.<ContainerSpec>of() : wish) {
            Running there = running.get(next.name());
            boolean up = there != null && !there.readyAt().isAfter(clock.now());
            boolean stopped = held.contains(next.name());
            String state = stopped ? "stopped" : there == null ? "blocked" : up ? "up" : "starting";
            states.add(
                    new ContainerState(
                                    next.name(),
                                    String.valueOf(next.image().reference()),
                                    next.image().digest(),
                                    state,
                                    "",
                                    there == null ? "" : there.spec().digest(),
                                    there == null ? null : there.id(),
                                    0,
                                    0,
                                    null,
                                    false,
                                    stopped
                                            ? "stopped by an operator"
                                            : there == null ? "its disk is not mounted" : "",
                                    "",
                                    0)
                            .toTree());
        }
        return states;
    }

    @Override
    public String toString() {
        return cid + " of " + group() + "/" + instance() + " " + jobState() + running.keySet();
    }
}
