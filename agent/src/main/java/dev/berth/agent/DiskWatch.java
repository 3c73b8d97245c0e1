package dev.berth.agent;

import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * Looks at live disks while they run: whether each is the right one, answers, takes what is
 * written, and has room. Its owner lets one look run at a time.
 */
final class DiskWatch {
    /** A disk under a heavy load answers late; stopping a database for that would be worse. */
    private static final Duration WRITE_LIMIT = Duration.ofSeconds(60);

    private static final Duration STUCK_LIMIT = Duration.ofSeconds(1);

    private final Layout layout;
    private final DiskTools tools;
    private final MountProver prover;
    private final DiskDevices devices;
    private final DiskErrors errors;
    private final DiskFills fills;
    private final Consumer<Workload.Trouble> onTrouble;
    private final Map<Path, CompletableFuture<Optional<String>>> probes = new ConcurrentHashMap<>();

    DiskWatch(
            Layout layout,
            DiskPorts ports,
            DiskDevices devices,
            Clock clock,
            Consumer<Workload.Trouble> onTrouble) {
        this.layout = layout;
        this.tools = ports.tools();
        this.prover = new MountProver(layout, tools);
        this.devices = devices;
        this.errors = new DiskErrors(layout, ports.kernel());
        this.fills = new DiskFills(layout, clock);
        this.onTrouble = onTrouble;
    }

    /** The quick look, the device itself, the kernel's words, and a write that reaches the disk. */
    MountProof prove(String name, DiskCid cid) {
        MountProof quick = prover.quick(name, cid);
        if (!(quick instanceof MountProof.Proven)) {
            return quick;
        }
        Path at = layout.place(name);
        Optional<DiskDevices.Found> found = devices.look(cid);
        Optional<DiskTools.Mount> mount = devices.mountedAt(at);
        if (found.isEmpty()) {
            return new MountProof.Unproven(
                    "disk "
                            + cid
                            + " is missing: it is mounted at "
                            + at
                            + ", but its device is gone");
        }
        String number = found.get().device().number();
        if (mount.isPresent() && !mount.get().number().equals(number)) {
            return new MountProof.Unproven(
                    "wrong device: expected "
                            + number
                            + " of disk "
                            + cid
                            + " at "
                            + at
                            + ", found "
                            + mount.get().number());
        }
        Optional<String> failed = errors.writes(found.get());
        if (failed.isPresent()) {
            return new MountProof.Unproven(
                    "disk " + cid + " is failing, the kernel says: " + failed.get());
        }
        return cannotWrite(at)
                .<MountProof>map(why ->
                        new MountProof.Unproven("disk " + cid + " cannot be written: " + why))
                .orElse(quick);
    }

    /** In a thread of its own: a write to a disk that hangs cannot be ended. */
    private Optional<String> cannotWrite(Path at) {
        boolean stuck = probes.containsKey(at);
        CompletableFuture<Optional<String>> probe =
                probes.computeIfAbsent(
                        at,
                        place -> {
                            var result = new CompletableFuture<Optional<String>>();
                            Thread.ofPlatform()
                                    .daemon()
                                    .name("disk probe")
                                    .start(() -> probe(place, result));
                            return result;
                        });
        try {
            Duration limit = stuck ? STUCK_LIMIT : WRITE_LIMIT;
            Optional<String> why = probe.get(limit.toMillis(), TimeUnit.MILLISECONDS);
            probes.remove(at);
            return why;
        } catch (TimeoutException e) {
            return Optional.of("a small write has not ended for a minute: the disk hangs");
        } catch (ExecutionException e) {
            probes.remove(at);
            return Optional.of(ActionException.words(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ActionException("interrupted", e);
        }
    }

    private void probe(Path at, CompletableFuture<Optional<String>> result) {
        try {
            result.complete(tools.cannotWrite(at));
        } catch (RuntimeException e) {
            result.complete(Optional.of(ActionException.words(e)));
        }
    }

    /** Room, and what the kernel says of reading; troubles that stop nobody. */
    void lookAtRoom(String name, DiskCid cid) {
        onTrouble.accept(fills.look(name, cid, tools.space(layout.place(name))));
        devices.look(cid)
                .flatMap(errors::reads)
                .ifPresent(words ->
                        onTrouble.accept(
                                new Workload.Trouble(
                                        readKey(name),
                                        2,
                                        false,
                                        "persistent disk cannot be read everywhere",
                                        "disk " + cid + ", the kernel says: " + words)));
    }

    OptionalDouble daysToFull(DiskCid cid, DiskTools.Space space) {
        return fills.daysToFull(cid, space);
    }

    /** A disk that is mounted anew begins with a clean sheet. */
    void mounting(DiskDevices.Found disk) {
        errors.forget(disk);
    }

    /** It is no longer live here: nobody need hear of it any more. */
    void gone(String name, DiskCid cid) {
        devices.look(cid).ifPresent(errors::forget);
        fills.forget(cid);
        onTrouble.accept(
                new Workload.Trouble(
                        DiskFills.key(name), 4, true, "persistent disk unmounted", "disk " + cid));
        onTrouble.accept(
                new Workload.Trouble(
                        readKey(name), 4, true, "persistent disk unmounted", "disk " + cid));
    }

    private static String readKey(String name) {
        return name.isEmpty() ? "disk read" : "disk read " + name;
    }
}
