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
    public synchronized void format(Path device, String fileSystem) {
        asked.add("format " + device + " " + fileSystem);
        at(device).holds = new Content.FileSystem(fileSystem, at(device).bytes);
    }

    @Override
    public synchronized List<Mount> mounts() {
        return List.copyOf(mounts);
    }

    @Override
    public synchronized void mount(Path device, Path at, String fileSystem, List<String> options) {
        asked.add("mount " + device + " " + at.getFileName());
        move(at(device).content, at);
        mounts.add(new Mount(at(device).number, at, fileSystem, false));
    }

    @Override
    public synchronized void unmount(Path at) {
        asked.add("unmount " + at.getFileName());
        Mount mount = mounts.stream().filter(m -> m.at().equals(at)).findFirst().orElseThrow();
        mounts.remove(mount);
        devices.values().stream()
                .filter(d -> d.number.equals(mount.number()))
                .forEach(d -> move(at, d.content));
    }

    @Override
    public synchronized void remountReadOnly(Path at) {
        asked.add("readonly " + at.getFileName());
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
    public synchronized void copy(Path from, Path to, List<String> leftOut) {
        asked.add("copy " + from.getFileName() + " " + to.getFileName());
        try (var files = Files.list(from)) {
            for (Path file : files.toList()) {
                if (!leftOut.contains(String.valueOf(file.getFileName()))) {
                    Files.copy(file, to.resolve(String.valueOf(file.getFileName())));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
                for (Path file : files.toList()) {
                    Files.move(file, to.resolve(String.valueOf(file.getFileName())));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
