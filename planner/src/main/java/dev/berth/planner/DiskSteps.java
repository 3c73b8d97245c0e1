package dev.berth.planner;

import dev.berth.model.VmCid;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What will hold of the disks of one instance after the steps written so far, and the steps that
 * are about disks. R1 lives in {@link #free}: between a disk and its next attachment stands either
 * a detach from its recorded holder or the proof that the holder is gone.
 */
final class DiskSteps {
    /** A disk of the instance; {@code holder} and {@code mounted} as they will be. */
    static final class Held {
        final Recorded.Disk disk;
        @Nullable VmCid holder;
        boolean mounted;

        Held(Recorded.Disk disk) {
            this.disk = disk;
            this.holder = disk.attachedTo();
        }
    }

    private final List<Step> steps;
    private final PlanOptions options;
    private final List<Held> live = new ArrayList<>();
    private final List<Held> leftOver = new ArrayList<>();

    /** Detached: it may turn out that the CPI cannot. */
    private final List<Held> grown = new ArrayList<>();

    DiskSteps(List<Step> steps, PlanOptions options, Recorded.@Nullable Instance row) {
        this.steps = steps;
        this.options = options;
        if (row != null) {
            row.disks().forEach(d -> (d.live() ? live : leftOver).add(new Held(d)));
        }
    }

    /** What the agent of the VM says is mounted. */
    void look(VmCid vm, Observation.Answers seen) {
        for (Held held : live) {
            held.mounted = vm.equals(held.holder) && seen.hasMounted(held.disk);
        }
    }

    List<Held> live() {
        return List.copyOf(live);
    }

    private @Nullable Held live(String name) {
        return live.stream().filter(h -> h.disk.name().equals(name)).findFirst().orElse(null);
    }

    private List<Held> all() {
        var all = new ArrayList<>(live);
        all.addAll(leftOver);
        return all;
    }

    /** None of them is where it is wished, or all that there are. */
    boolean comeOrGo(Wish wish) {
        return wish.disks().stream().anyMatch(d -> live(d.name()) == null)
                || live.stream().anyMatch(h -> wish.disk(h.disk.name()) == null);
    }

    /** Whether the wish makes containers let go of a disk that their VM has mounted. */
    boolean mustLetGo(Held held, Wish wish, boolean answers) {
        Desired.DiskWish wished = wish.disk(held.disk.name());
        if (wished == null) {
            return true;
        }
        DiskWay way = DiskWay.of(held.disk, wished, options);
        return way != DiskWay.COPY && (remounts(held, wished) || growsDetached(way, answers));
    }

    private static boolean remounts(Held held, Desired.DiskWish wished) {
        return !held.disk.raw() && !held.disk.mountOptions().equals(wished.mountOptions());
    }

    private boolean growsDetached(DiskWay way, boolean answers) {
        return way == DiskWay.GROW && !(answers && options.growsAttachedDisks());
    }

    /**
     * Before the VM is dealt with: what is not wanted goes, what cannot grow in its place grows
     * now. Whatever stops must have stopped.
     */
    void change(Wish wish, @Nullable VmCid vm, boolean answers) {
        freeFromOthers(vm, answers);
        for (Held held : all()) {
            if (wish.disk(held.disk.name()) == null) {
                free(held, vm, answers);
                orphan(held);
            }
        }
        for (Held held : live()) {
            Desired.DiskWish wished = wish.disk(held.disk.name());
            if (wished != null && mustLetGo(held, wish, answers)) {
                free(held, vm, answers);
                if (DiskWay.of(held.disk, wished, options) == DiskWay.GROW) {
                    steps.add(new Step.GrowDisk(held.disk.cid(), wished, false));
                    grown.add(held);
                }
            }
        }
    }

    /**
     * Creates, attaches and mounts what is missing; grows in place what can be grown so.
     *
     * @return whether something was mounted, so that containers may have to start
     */
    boolean have(Wish wish, boolean answers) {
        boolean mounts = false;
        for (Desired.DiskWish wished : wish.disks()) {
            Held held = live(wished.name());
            if (held == null) {
                steps.add(new Step.CreateDisk(wished));
                mount(wished.name(), wished.mountOptions(), wished.raw());
                mounts = true;
                continue;
            }
            DiskWay way = DiskWay.of(held.disk, wished, options);
            mounts |=
                    haveMounted(
                            held,
                            way == DiskWay.COPY ? held.disk.mountOptions() : wished.mountOptions());
            if (way == DiskWay.GROW && !grown.contains(held)) {
                steps.add(new Step.GrowDisk(held.disk.cid(), wished, true));
            }
        }
        return mounts;
    }

    /** As they are, for containers that are not to run yet. */
    boolean haveAsTheyAre(Wish wish) {
        boolean mounts = false;
        for (Held held : live()) {
            if (wish.disk(held.disk.name()) != null) {
                mounts |= haveMounted(held, held.disk.mountOptions());
            }
        }
        return mounts;
    }

    /**
     * Attaching what is attached already is harmless, and settles a crash between the cloud's part
     * and the agent's.
     */
    private boolean haveMounted(Held held, List<String> mountOptions) {
        if (held.mounted) {
            return false;
        }
        mount(held.disk.name(), mountOptions, held.disk.raw());
        held.mounted = true;
        return true;
    }

    private void mount(String name, List<String> mountOptions, boolean raw) {
        steps.add(new Step.AttachDisk(name, mountOptions));
        if (!raw) {
            steps.add(new Step.MountDisk(name));
        }
    }

    /** What has to go by copy, or may have to, and what copies have left. */
    void copy(Wish wish) {
        for (Desired.DiskWish wished : wish.disks()) {
            Held held = live(wished.name());
            boolean left = leftOver.stream().anyMatch(h -> h.disk.name().equals(wished.name()));
            boolean instead = held != null && grown.contains(held) && !held.disk.raw();
            boolean copied = held != null && DiskWay.of(held.disk, wished, options) == DiskWay.COPY;
            if (left || copied || instead) {
                steps.add(new Step.CopyDisk(wished, instead && !left));
            }
        }
    }

    void freeFromOthers(@Nullable VmCid vm, boolean answers) {
        for (Held held : all()) {
            if (held.holder != null && !held.holder.equals(vm)) {
                free(held, vm, answers);
            }
        }
    }

    void freeAll(@Nullable VmCid vm, boolean answers) {
        all().forEach(held -> free(held, vm, answers));
    }

    private void free(Held held, @Nullable VmCid vm, boolean answers) {
        VmCid holder = held.holder;
        if (holder == null) {
            return;
        }
        if (answers && holder.equals(vm)) {
            steps.add(new Step.UnmountDisk(held.disk.cid()));
        }
        if (!options.goneVms().contains(holder)) {
            steps.add(new Step.DetachDisk(holder, held.disk.cid()));
        }
        held.holder = null;
        held.mounted = false;
    }

    /** The VM is deleted: what it held is free. */
    void vmDeleted(VmCid vm) {
        for (Held held : all()) {
            if (vm.equals(held.holder)) {
                held.holder = null;
                held.mounted = false;
            }
        }
    }

    void orphanAll() {
        all().forEach(this::orphan);
    }

    private void orphan(Held held) {
        steps.add(new Step.OrphanDisk(held.disk.cid()));
        live.remove(held);
        leftOver.remove(held);
    }
}
