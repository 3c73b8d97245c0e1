package dev.berth.planner;

import dev.berth.model.VmCid;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** How the executor carries out {@link Step.CopyDisk}, in parts between which it may be killed. */
final class WorldCopies {
    private static final int PARTS = 6;

    /** One thing that either happens or does not. */
    record Part(Step step, int number) {}

    private final World world;

    WorldCopies(World world) {
        this.world = world;
    }

    static Stream<Part> parts(Step step) {
        return step instanceof Step.CopyDisk
                ? IntStream.range(0, PARTS).mapToObj(n -> new Part(step, n))
                : Stream.of(new Part(step, 0));
    }

    Recorded.Instance run(Recorded.Instance row, Desired.DiskWish to, int part) {
        Recorded.Disk live = World.live(row, to.name());
        Recorded.Disk target = target(row, live, to);
        boolean done = isAsWished(live, to);
        return switch (part) {
            case 0 -> dropped(row, to.name(), done ? null : target);
            case 1 ->
                    done || target != null
                            ? row
                            : World.with(
                                    row,
                                    row.vm(),
                                    World.plus(row.disks(), world.newDisk(to, live.cid())));
            case 2 -> target == null || done ? row : attached(row, target);
            case 3 -> target == null || done ? row : flipped(row, live, target);
            default -> done ? dropped(row, to.name(), null) : row;
        };
    }

    private static boolean isAsWished(Recorded.Disk disk, Desired.DiskWish to) {
        return DiskWay.reason(disk, to).isEmpty();
    }

    private Recorded.@Nullable Disk target(
            Recorded.Instance row, Recorded.Disk live, Desired.DiskWish to) {
        return row.leftOver(to.name()).stream()
                .filter(d -> live.cid().equals(world.disk(d.cid()).copyOf) && isAsWished(d, to))
                .findFirst()
                .orElse(null);
    }

    private Recorded.Instance attached(Recorded.Instance row, Recorded.Disk target) {
        VmCid vm = World.cid(row);
        World.Disk disk = world.disk(target.cid());
        World.check(
                disk.attachedTo == null || disk.attachedTo.equals(vm),
                target.cid() + " is held by " + disk.attachedTo + " (R1)");
        disk.attachedTo = vm;
        return World.attached(row, target.cid(), vm);
    }

    private Recorded.Instance flipped(
            Recorded.Instance row, Recorded.Disk live, Recorded.Disk target) {
        World.Vm vm = world.agent(row);
        World.check(vm.mounted.contains(live.cid()), "copied from what is not mounted");
        World.check(
                World.cid(row).equals(world.disk(target.cid()).attachedTo),
                "copied to what is not attached");
        vm.mounted.remove(live.cid());
        vm.mounted.add(target.cid());
        Recorded.Instance former =
                World.with(row, row.vm(), World.replaced(row, live, World.lives(live, false)));
        return World.with(
                former, former.vm(), World.replaced(former, target, World.lives(target, true)));
    }

    private Recorded.Instance dropped(
            Recorded.Instance row, String name, Recorded.@Nullable Disk but) {
        Recorded.Instance now = row;
        for (Recorded.Disk disk : row.leftOver(name)) {
            if (!disk.equals(but)) {
                VmCid holder = disk.attachedTo();
                World.check(
                        holder == null || holder.equals(World.cid(row)),
                        disk.cid() + " is dropped while " + holder + " holds it (R1)");
                world.agent(row).mounted.remove(disk.cid());
                world.disk(disk.cid()).attachedTo = null;
                now = world.orphaned(World.attached(now, disk.cid(), null), disk.cid());
            }
        }
        return now;
    }
}
