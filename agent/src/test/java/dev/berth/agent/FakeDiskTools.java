package dev.berth.agent;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Devices and mounts as plain data. What a file system holds is a directory of its own, which a
 * mount copies to its place and an unmount takes away again.
 */
final class FakeDiskTools implements DiskTools {
    /** One device; its size may be changed by a test as an IaaS would. */
    static final class FakeDevice {
        final String number;
        final Path content;
        long bytes;
        Content holds = new Content.Blank();

        FakeDevice(String number, Path content, long bytes) {
            this.number = number;
            this.content = content;
            this.bytes = bytes;
        }
    }

    final Map<Path, FakeDevice> devices = new HashMap<>();
    final List<Mount> mounts = new ArrayList<>();
    final List<String> asked = new ArrayList<>();
    final Map<Path, Path> partitions = new HashMap<>();
    final Map<Path, List<String>> mountOptions = new HashMap<>();

    /** Places of binds whose content is still at the other mount. */
    private final java.util.Set<Path> shown = new java.util.HashSet<>();

    /** Called before and after each deed. */
    java.util.function.Consumer<String> point = what -> {};

    boolean growsOnline = true;
    @Nullable String writeError;
    private final Path folder;

    FakeDiskTools(Path folder) {
        this.folder = folder;
    }

    synchronized FakeDevice plug(String path, long bytes) {
        try {
            Path content = Files.createDirectories(folder.resolve("content" + devices.size()));
            var device = new FakeDevice("7:" + devices.size(), content, bytes);
            devices.put(Path.of(path), device);
            return device;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized Optional<Device> device(Path path) {
        return Optional.ofNullable(devices.get(path)).map(d -> new Device(d.number, d.bytes));
    }

    @Override
    public synchronized Content look(Path device) {
        return at(device).holds;
    }

    @Override
    public void format(Path device, String fileSystem) {
        act(
                "format " + device + " " + fileSystem,
                () -> at(device).holds = new Content.FileSystem(fileSystem, at(device).bytes));
    }

    @Override
    public synchronized List<Mount> mounts() {
        return List.copyOf(mounts);
    }

    @Override
    public void mount(Path device, Path at, String fileSystem, List<String> options) {
        act(
                "mount " + device + " " + at.getFileName(),
                () -> {
                    if (mounts.stream().anyMatch(m -> m.at().equals(at))) {
                        throw new IllegalStateException("a second mount at " + at);
                    }
                    requireNotMounted(device);
                    mountOptions.put(at, options);
                    move(at(device).content, at);
                    mounts.add(new Mount(at(device).number, at, fileSystem, false));
                });
    }

    private void requireNotMounted(Path device) {
        if (mounts.stream().anyMatch(m -> m.number().equals(at(device).number))) {
            throw new IllegalStateException(device + " is mounted twice");
        }
    }

    /** A point at which an agent may be killed, before the deed and after it. */
    private void act(String what, Runnable deed) {
        point.accept("before " + what);
        synchronized (this) {
            asked.add(what);
            deed.run();
        }
        point.accept("after " + what);
    }

    /** The VM went down: nothing is mounted, and all that was written is on the devices. */
    synchronized void reboot() {
        for (Mount mount : List.copyOf(mounts)) {
            mounts.remove(mount);
            home(mount).ifPresent(to -> move(mount.at(), to));
        }
        shown.clear();
    }

    /** Where the files of a device are now. */
    synchronized Path content(String device) {
        FakeDevice found = at(Path.of(device));
        return mounts.stream()
                .filter(m -> m.number().equals(found.number) && !shown.contains(m.at()))
                .map(Mount::at)
                .findFirst()
                .orElse(found.content);
    }

    /** Where the content of a mount goes that has just ended: to another one of its device. */
    private Optional<Path> home(Mount ended) {
        Optional<Path> other =
                mounts.stream()
                        .filter(m -> m.number().equals(ended.number()))
                        .map(Mount::at)
                        .findFirst();
        return other.or(() ->
                devices.values().stream()
                        .filter(d -> d.number.equals(ended.number()))
                        .map(d -> d.content)
                        .findFirst());
    }

    @Override
    public void unmount(Path at) {
        act(
                "unmount " + at.getFileName(),
                () -> {
                    Mount mount =
                            mounts.stream()
                                    .filter(m -> m.at().equals(at))
                                    .reduce((a, b) -> b)
                                    .orElseThrow();
                    mounts.remove(mount);
                    if (!shown.remove(at)) {
                        home(mount).ifPresent(to -> move(at, to));
                        home(mount).ifPresent(shown::remove);
                    }
                });
    }

    /** Shows nothing until the other mount has gone, which is when anybody looks. */
    @Override
    public void bindReadOnly(Path from, Path at) {
        act(
                "bind " + from.getFileName() + " " + at.getFileName(),
                () -> {
                    Mount shownFrom =
                            mounts.stream()
                                    .filter(m -> m.at().equals(from))
                                    .findFirst()
                                    .orElseThrow();
                    mounts.add(new Mount(shownFrom.number(), at, shownFrom.fileSystem(), true));
                    shown.add(at);
                });
    }

    @Override
    public void sync(Path at) {
        act("sync " + at.getFileName(), () -> {});
    }

    /** What plain files take, of what the device has. */
    @Override
    public synchronized Space space(Path at) {
        Mount mount = mounts.stream().filter(m -> m.at().equals(at)).findFirst().orElseThrow();
        long total =
                devices.values().stream()
                        .filter(d -> d.number.equals(mount.number()))
                        .mapToLong(d -> d.bytes)
                        .findFirst()
                        .orElseThrow();
        long used = used(at);
        return new Space(total, used, total - used);
    }

    private static long used(Path at) {
        try (var files = Files.walk(at)) {
            return files.filter(Files::isRegularFile).mapToLong(f -> f.toFile().length()).sum();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized Optional<Path> partition(Path device) {
        return Optional.ofNullable(partitions.get(device));
    }

    @Override
    public synchronized void growPartition(Path device) {
        asked.add("grow partition " + device);
        at(partitions.getOrDefault(device, device)).bytes = at(device).bytes;
    }

    @Override
    public synchronized void growUnmounted(Path device, String fileSystem) {
        asked.add("grow unmounted");
        if (mounts.stream().anyMatch(m -> m.number().equals(at(device).number))) {
            throw new IllegalStateException("grown while mounted");
        }
        at(device).holds = new Content.FileSystem(fileSystem, at(device).bytes);
    }

    @Override
    public synchronized Growth growMounted(Path device, Path at, String fileSystem) {
        if (at(device).holds instanceof Content.FileSystem fs && fs.bytes() >= at(device).bytes) {
            return Growth.NOTHING_TO_DO;
        }
        if (!growsOnline) {
            return Growth.NOT_WHILE_MOUNTED;
        }
        asked.add("grow mounted");
        at(device).holds = new Content.FileSystem(fileSystem, at(device).bytes);
        return Growth.GREW;
    }

    @Override
    public synchronized Optional<String> cannotWrite(Path at) {
        return Optional.ofNullable(writeError);
    }

    private FakeDevice at(Path path) {
        return Optional.ofNullable(devices.get(path)).orElseThrow();
    }

    private static void move(Path from, Path to) {
        try {
            Files.createDirectories(to);
            try (var files = Files.list(from)) {
                for (Path file : files.sorted().toList()) {
                    Files.move(file, to.resolve(String.valueOf(file.getFileName())));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
