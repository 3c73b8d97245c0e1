package dev.berth.model;

import static dev.berth.model.ContainerKeys.reading;

import dev.berth.model.ContainerStorage.MountedFile;
import dev.berth.model.ContainerStorage.Volume;
import dev.berth.model.ContainerStorage.VolumesFrom;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a container sees of disks and memory.
 *
 * @param files secrets and configs that the manifest defines
 */
record ContainerStorageReader(ContainerKeys keys, FileDefinitions files) {
    private static final int READABLE = 0444;
    private static final String STORE = "/var/vcap/store";

    ContainerStorage storage(String container) {
        boolean legacy = keys.legacy();
        checkDriver();
        var storage =
                new ContainerStorage(
                        volumes(container),
                        volumesFrom(),
                        legacy ? Map.of() : tmpfs(),
                        legacy ? List.of() : mounted("secrets", "/run/secrets/"),
                        legacy ? List.of() : mounted("configs", "/"),
                        legacy ? Map.of() : Collections.unmodifiableMap(keys.pairs("storage_opt")),
                        keys.flag("read_only"));
        checkTargets(storage);
        return storage;
    }

    /** The engine would refuse them when the container is made. */
    private void checkTargets(ContainerStorage storage) {
        var targets = new ArrayList<String>(storage.tmpfs().keySet());
        storage.volumes().forEach(v -> targets.add(v.target()));
        storage.secrets().forEach(f -> targets.add(f.target()));
        storage.configs().forEach(f -> targets.add(f.target()));
        targets.stream()
                .filter(target -> Collections.frequency(targets, target) > 1)
                .distinct()
                .forEach(target ->
                        keys.section()
                                .spot()
                                .error(
                                        "two volumes are mounted at '" + target + "'",
                                        "volumes, tmpfs, secrets and configs each need a place"));
    }

    private void checkDriver() {
        String driver = keys.text("volume_driver");
        if (driver != null && !driver.isEmpty() && !driver.equals("local")) {
            keys.at("volume_driver")
                    .error(
                            "volumes of driver '"
                                    + driver
                                    + "' would not be on the instance's disk",
                            "leave it out: a named volume is a folder of the persistent disk");
        }
    }

    // --- volumes

    private List<Volume> volumes(String container) {
        var volumes = new ArrayList<Volume>();
        for (Spot item : keys.list("volumes")) {
            boolean anonymous = keys.legacy() && item.isScalar() && item.text().indexOf(':') < 0;
            Volume volume;
            if (anonymous) {
                volume = reading(item, t -> VolumeFormats.anonymous(container, t), item.string());
                item.warning(
                        "an anonymous volume: it is kept on the ephemeral disk and lost with the VM",
                        "give it a name to keep it: data:" + item.text());
            } else if (item.isMap() && !keys.legacy()) {
                volume = new LongVolume(item.section()).read();
            } else {
                volume = reading(item, VolumeFormats::parse, item.string());
            }
            if (volume != null) {
                volumes.add(volume);
            }
        }
        boundVolumes(container, volumes);
        return List.copyOf(volumes);
    }

    private void boundVolumes(String container, List<Volume> volumes) {
        String given = keys.text("store_dir");
        String store = given == null || given.isEmpty() ? STORE : given;
        List<Spot> bound = keys.list("bind_volumes");
        for (Spot item : bound) {
            Volume volume =
                    reading(item, t -> VolumeFormats.bound(container, t, store), item.string());
            if (volume != null) {
                volumes.add(volume);
            }
        }
        if (bound.size() > 1) {
            String what = "all paths of 'bind_volumes' are one and the same folder of the disk";
            String remedy = "name a volume for each path: volumes: [data:/path, more:/other]";
            if (keys.legacy()) {
                keys.at("bind_volumes").warning(what, remedy);
            } else {
                keys.at("bind_volumes").error(what, remedy);
            }
        }
    }

    /** {@code name[:ro|rw]}, in Compose's files also {@code container:name}. */
    private List<VolumesFrom> volumesFrom() {
        var all = new ArrayList<VolumesFrom>();
        for (Spot item : keys.list("volumes_from")) {
            String text = item.string();
            if (text.startsWith("container:")) {
                item.error(
                        "volumes of a container that is not of the instance cannot be had",
                        "name a container of the same group");
                continue;
            }
            int colon = text.indexOf(':');
            String mode = colon < 0 ? "rw" : text.substring(colon + 1);
            if (!Set.of("ro", "rw").contains(mode)) {
                item.error("the mode '" + mode + "' is not supported", "ro or rw");
            }
            String name = colon < 0 ? text : text.substring(0, colon);
            all.add(new VolumesFrom(name, mode.equals("ro"), false));
        }
        return List.copyOf(all);
    }

    /** {@code path[:options]}. */
    private Map<String, String> tmpfs() {
        var tmpfs = new LinkedHashMap<String, String>();
        for (Spot item : keys.oneOrList("tmpfs")) {
            String text = item.string();
            int colon = text.indexOf(':');
            String path = colon < 0 ? text : text.substring(0, colon);
            if (!path.startsWith("/")) {
                item.error("'" + path + "' is no absolute path", "such as /tmp:size=64m");
            } else {
                tmpfs.put(path, colon < 0 ? "" : text.substring(colon + 1));
            }
        }
        return Collections.unmodifiableMap(tmpfs);
    }

    // --- secrets and configs

    private List<MountedFile> mounted(String key, String folder) {
        var mounted = new ArrayList<MountedFile>();
        for (Spot item : keys.list(key)) {
            MountedFile file = mounted(item, key, folder);
            if (file != null) {
                mounted.add(file);
            }
        }
        return List.copyOf(mounted);
    }

    private @Nullable MountedFile mounted(Spot item, String key, String folder) {
        boolean isLong = item.isMap();
        Section section = isLong ? item.section() : new Section(Map.of(), item);
        section.checkKeys(Set.of("source", "target", "uid", "gid", "mode"), Map.of());
        String source = isLong ? section.string("source") : item.string();
        Secret content = files.content(key, source, item);
        String target = section.has("target") ? section.string("target") : source;
        String path = target.startsWith("/") ? target : folder + target;
        if (content == null) {
            return null;
        }
        if (List.of(path.split("/", -1)).contains("..") || path.endsWith("/")) {
            item.error("'" + target + "' is no place for a file", null);
            return null;
        }
        var ids = new ContainerKeys(section, false);
        Long uid = ids.integer("uid", 0, Integer.MAX_VALUE);
        Long gid = ids.integer("gid", 0, Integer.MAX_VALUE);
        Integer mode =
                section.has("mode")
                        ? reading(
                                section.at("mode"),
                                ContainerFormats::mode,
                                ContainerKeys.textOf(section.at("mode")))
                        : Integer.valueOf(READABLE);
        return new MountedFile(
                source,
                path,
                content,
                uid == null ? 0 : uid.intValue(),
                gid == null ? 0 : gid.intValue(),
                mode == null ? READABLE : mode);
    }
}
