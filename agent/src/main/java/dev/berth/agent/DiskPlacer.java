package dev.berth.agent;

import dev.berth.model.DiskCid;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Mounts disks where they belong. A device is formatted only when it is blank; a file system is
 * mounted only when it carries the expected disk's identity in {@value DiskMarks#IDENTITY_FILE}; a
 * disk whose data is elsewhere, or not all here yet, is never left mounted at a live place.
 */
final class DiskPlacer {
    private static final System.Logger LOG = System.getLogger(DiskPlacer.class.getName());

    private final DiskTools tools;
    private final DiskRecords records;
    private final DiskGrowth growth;
    private final DiskWatch watch;
    private final Supplier<Settings> settings;

    DiskPlacer(
            DiskTools tools,
            DiskRecords records,
            DiskGrowth growth,
            DiskWatch watch,
            Supplier<Settings> settings) {
        this.tools = tools;
        this.records = records;
        this.growth = growth;
        this.watch = watch;
        this.settings = settings;
    }

    /** At a live place: only a disk that may be there stays. */
    void placeLive(DiskDevices.Found disk, Path at) {
        place(disk, at);
        guarded(at, () -> requireLive(disk.cid(), at));
    }

    /** Of a disk that is mounted there already. */
    void requireLive(DiskCid cid, Path at) {
        requireIdentity(cid, at);
        Optional<DiskMarks.NotLive> why = DiskMarks.notLive(cid, at);
        if (why.isPresent()) {
            throw why.get().failure();
        }
    }

    /**
     * Makes the file system if the device is blank, and mounts it if it is the right one, whatever
     * its other marks say.
     */
    void place(DiskDevices.Found disk, Path at) {
        DiskCid cid = disk.cid();
        DiskOptions.Chosen chosen = records.options(cid).chosen(settings.get());
        watch.mounting(disk);
        switch (tools.look(disk.path())) {
            case DiskTools.Content.Foreign foreign ->
                    throw new ActionException(
                            "device "
                                    + disk.path()
                                    + " of disk "
                                    + cid
                                    + " holds "
                                    + foreign.what()
                                    + " and is neither blank nor a file system we mount");
            case DiskTools.Content.FileSystem fs -> mountExisting(disk, at, fs, chosen);
            case DiskTools.Content.Blank blank -> {
                String type = chosen.fileSystem();
                records.formatting(cid);
                LOG.log(
                        System.Logger.Level.INFO,
                        "disk={0} device={1} state=formatting type={2}",
                        cid,
                        disk.path(),
                        type);
                tools.format(disk.path(), type);
                tools.mount(disk.path(), at, type, chosen.mountOptions());
                DiskMarks.identify(at, cid);
                records.formatted();
            }
        }
        LOG.log(
                System.Logger.Level.INFO,
                "disk={0} device={1} state=mounted at={2}",
                cid,
                disk.path(),
                at);
    }

    private void mountExisting(
            DiskDevices.Found disk,
            Path at,
            DiskTools.Content.FileSystem fs,
            DiskOptions.Chosen chosen) {
        tools.mount(disk.path(), at, fs.type(), chosen.mountOptions());
        guarded(at, () -> requireIdentity(disk.cid(), at));
        // Only the right disk is ever changed, so its identity is read before it is grown.
        growth.whenMounted(disk, at, fs, chosen.mountOptions());
    }

    /** What is not as it must be does not stay mounted. */
    private void guarded(Path at, Runnable check) {
        try {
            check.run();
        } catch (RuntimeException e) {
            tools.unmount(at);
            throw e;
        }
    }

    /** The identity must be the expected one; an empty file system of ours may still lack it. */
    void requireIdentity(DiskCid cid, Path at) {
        Optional<String> found = DiskMarks.identity(at);
        if (found.isEmpty() && (DiskMarks.isEmpty(at) || records.isBeingFormatted(cid))) {
            // the agent or the VM ended between making it and naming it
            DiskMarks.identify(at, cid);
            records.formatted();
        } else if (!found.equals(Optional.of(cid.value()))) {
            throw new ActionException(MountProver.wrong(cid, found));
        }
    }
}
