package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.Cpi.VmEvidence;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.cpi.CpiException.Type;
import dev.berth.cpi.docker.DockerCpi;
import dev.berth.engine.DockerEngine;
import dev.berth.engine.Engine;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import dev.berth.testkit.TinyStemcell;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What the Docker CPI does beyond the contract: real devices, real mounts, a real engine. */
@Tag("engine")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DockerCpiTest {
    private final DockerEngine engine = new DockerEngine(EngineUnderTest.socket());
    private final String director = UUID.randomUUID().toString();
    private final String network = "berth-cpi-" + director.substring(0, 8);
    private final String range = EngineUnderTest.freeRange();
    private Path folder = Path.of("");
    private StemcellCid stemcell = new StemcellCid("none");

    @BeforeAll
    void prepare(@TempDir Path shared) {
        folder = shared;
        stemcell = cpi().createStemcell(context(), TinyStemcell.image(folder), Map.of(), Map.of());
        cpi().createNetwork(context(), subnet(range + ".0/24", range + ".1", network));
    }

    @AfterEach
    void clean() {
        List<CloudObject> left = cpi().inventory(context());
        for (CloudObject object : left) {
            if (object.kind() == CloudObject.Kind.VM) {
                cpi().deleteVm(context(), new VmCid(object.cid()));
            }
        }
        for (CloudObject object : left) {
            if (object.kind() == CloudObject.Kind.DISK) {
                cpi().deleteDisk(context(), new DiskCid(object.cid()));
            }
        }
    }

    @AfterAll
    void close() {
        cpi().deleteNetwork(context(), network);
        cpi().deleteStemcell(context(), stemcell);
        engine.close();
    }

    private Path base() {
        return folder.resolve("cpi");
    }

    private DockerCpi cpi() {
        return new DockerCpi(engine, base());
    }

    private CpiContext context() {
        return new CpiContext(director, "intent-1", 3, Map.of());
    }

    private static Map<String, Object> subnet(String range, String gateway, String name) {
        return Json.of(
                "type",
                "manual",
                "range",
                range,
                "gateway",
                gateway,
                "cloud_properties",
                Json.of("name", name));
    }

    private VmCid vm(int host, Map<String, Object> cloudProperties) {
        Map<String, Object> net =
                Json.of(
                        "type",
                        "manual",
                        "ip",
                        range + "." + host,
                        "netmask",
                        "255.255.255.0",
                        "gateway",
                        range + ".1",
                        "cloud_properties",
                        Json.of("name", network));
        Map<String, Object> env =
                Json.of(
                        "bosh",
                        Json.of(
                                "mbus",
                                Json.of("urls", List.of("nats://10.0.0.1:4222")),
                                "tags",
                                Json.of("team", "shop")));
        return cpi().createVm(
                        context(),
                        new AgentId(UUID.randomUUID().toString()),
                        stemcell,
                        cloudProperties,
                        Json.of("default", net),
                        List.of(),
                        env);
    }

    private VmCid vm(int host) {
        return vm(host, Map.of());
    }

    private DiskCid disk(long sizeMb) {
        return cpi().createDisk(context(), sizeMb, Map.of(), null);
    }

    private String inside(VmCid vm, String script) {
        Engine.ExecResult result =
                engine.exec(
                        vm.value(), List.of("sh", "-c", script), Map.of(), Duration.ofSeconds(30));
        assertThat(result.exitCode()).as(script + ": " + result.stderr()).isZero();
        return result.stdout().strip();
    }

    private static String host(String script) throws IOException {
        Process process = new ProcessBuilder("sh", "-c", script).redirectErrorStream(true).start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }

    private static void fails(Type type, Runnable call, String... words) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        CpiException.class, e -> assertThat(e.type()).isEqualTo(type))
                .hasMessageContainingAll(words);
    }

    @Test
    void dataOnADiskOutlivesAVmThatIsShotAndMovesToTheNext() {
        VmCid first = vm(10);
        DiskCid disk = disk(32);
        cpi().attachDisk(context(), first, disk);
        inside(first, "mkfs.ext4 -q /dev/berth/" + disk + " && mount /dev/berth/" + disk + " /mnt");
        inside(first, "echo kept > /mnt/row && sync");
        fails(
                Type.CLOUD_ERROR,
                () -> cpi().detachDisk(context(), first, disk),
                "still mounted at /mnt");
        assertThat(inside(first, "cat /mnt/row")).isEqualTo("kept");
        cpi().deleteVm(context(), first);
        VmCid second = vm(10);
        cpi().attachDisk(context(), second, disk);
        inside(second, "mount /dev/berth/" + disk + " /mnt");
        assertThat(inside(second, "cat /mnt/row")).isEqualTo("kept");
        inside(second, "umount /mnt");
        cpi().detachDisk(context(), second, disk);
        assertThat(inside(second, "test -e /dev/berth/" + disk + " || echo hidden"))
                .isEqualTo("hidden");
    }

    @Test
    void aDiskGrowsUnderAMountedFileSystem() {
        VmCid vm = vm(10);
        DiskCid disk = disk(32);
        cpi().attachDisk(context(), vm, disk);
        inside(vm, "mkfs.ext4 -q /dev/berth/" + disk + " && mount /dev/berth/" + disk + " /mnt");
        cpi().resizeDisk(context(), disk, 64);
        assertThat(inside(vm, "blockdev --getsize64 /dev/berth/" + disk))
                .isEqualTo(String.valueOf(64L * 1024 * 1024));
    }

    @Test
    void moreDisksThanTheHostHasLoopNodesAreAttached() {
        VmCid vm = vm(10);
        var disks = new ArrayList<DiskCid>();
        for (int i = 0; i < 12; i++) {
            DiskCid disk = disk(1);
            cpi().attachDisk(context(), vm, disk);
            inside(vm, "cat /dev/berth/" + disk + " > /dev/null");
            disks.add(disk);
        }
        assertThat(cpi().getDisks(context(), vm)).hasSameElementsAs(disks);
    }

    @Test
    void settingsAreThereBeforeTheVmBootsAndForRootAlone() throws IOException {
        VmCid vm =
                vm(10, Json.of("memory", 256, "cpus", 0.5, "ports", List.of("127.0.0.1::80/udp")));
        Path settings = base().resolve("vms").resolve(vm.value()).resolve("settings.json");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(settings)))
                .isEqualTo("rw-------");
        Fields seen =
                Fields.of(
                        Json.parse(inside(vm, "cat /var/vcap/bosh/warden-cpi-agent-env.json")),
                        "settings");
        assertThat("vm-" + seen.string("agent_id")).isEqualTo(vm.value());
        assertThat(seen.string("mbus")).isEqualTo("nats://10.0.0.1:4222");
        assertThat(seen.object("networks").object("default").flag("preconfigured", false)).isTrue();
        Fields container =
                Fields.of(engine.inspectContainer(vm.value()).orElseThrow(), "container");
        assertThat(container.object("HostConfig").integer("Memory")).isEqualTo(256L * 1024 * 1024);
        assertThat(container.object("HostConfig").integer("NanoCpus")).isEqualTo(500_000_000L);
        assertThat(container.object("HostConfig").flag("Privileged", true)).isFalse();
        assertThat(container.object("Config").stringMap("Labels"))
                .containsEntry("berth.director", director)
                .containsEntry("berth.request", "intent-1")
                .containsEntry("berth.tag.team", "shop");
        assertThat(inside(vm, "cat /proc/net/fib_trie")).contains(range + ".10");
    }

    @Test
    void afterARebootOfTheHostTheDisksAreShownBeforeTheVmBoots() throws IOException {
        VmCid vm = vm(10);
        DiskCid disk = disk(8);
        cpi().attachDisk(context(), vm, disk);
        engine.killContainer(vm.value(), "KILL");
        Path image = base().resolve("disks").resolve(disk.value()).resolve("disk.img");
        host("losetup -d $(losetup -j " + image + " -n -O NAME)");
        Files.delete(
                base().resolve("vms").resolve(vm.value()).resolve("dev").resolve(disk.value()));
        assertThat(cpi().vmEvidence(context(), vm)).isEqualTo(VmEvidence.STOPPED);
        cpi().rebootVm(context(), vm);
        inside(vm, "cat /dev/berth/" + disk + " > /dev/null");
    }

    @Test
    void aDeviceLeftByACrashedCallIsNotMistakenForAHolder() throws IOException {
        VmCid vm = vm(10);
        DiskCid disk = disk(8);
        Path image = base().resolve("disks").resolve(disk.value()).resolve("disk.img");
        host("losetup -f " + image);
        cpi().attachDisk(context(), vm, disk);
        inside(vm, "cat /dev/berth/" + disk + " > /dev/null");
        cpi().deleteVm(context(), vm);
        assertThat(host("losetup -j " + image)).isEmpty();
    }

    @Test
    void aDiskMountedSomewhereElseIsNotGivenAway() throws IOException {
        VmCid vm = vm(10);
        DiskCid disk = disk(8);
        Path image = base().resolve("disks").resolve(disk.value()).resolve("disk.img");
        Path place = Files.createDirectories(folder.resolve("elsewhere"));
        host("mkfs.ext4 -q " + image + "; mount -o loop " + image + " " + place);
        try {
            fails(Type.CLOUD_ERROR, () -> cpi().attachDisk(context(), vm, disk), place.toString());
        } finally {
            host("umount " + place);
        }
        cpi().attachDisk(context(), vm, disk);
    }

    @Test
    void whatACrashedCreateLeftIsListedAndDeletedByItsName() throws IOException {
        VmCid vm = vm(10);
        engine.removeContainer(vm.value(), true, true);
        assertThat(cpi().hasVm(context(), vm)).isFalse();
        assertThat(cpi().inventory(context())).extracting(CloudObject::cid).contains(vm.value());
        cpi().deleteVm(context(), vm);
        assertThat(base().resolve("vms").resolve(vm.value())).doesNotExist();
        var query = new HashMap<String, @Nullable String>();
        query.put("berth.cid", vm.value());
        assertThat(engine.listVolumes(query)).isEmpty();
        fails(Type.VM_NOT_FOUND, () -> cpi().deleteVm(context(), vm), vm.value());
    }

    @Test
    void aVmThatDoesNotBootLeavesNothingAndTellsWhatItSaid() throws IOException {
        Path tar = folder.resolve("empty").resolve("image");
        Files.createDirectories(tar.getParent());
        host("cd " + tar.getParent() + " && echo x > file && tar -cf image file");
        StemcellCid broken = cpi().createStemcell(context(), tar, Map.of(), Map.of());
        StemcellCid good = stemcell;
        try {
            stemcell = broken;
            fails(Type.VM_CREATION_FAILED, () -> vm(10), "berth-init");
        } finally {
            stemcell = good;
        }
        assertThat(cpi().inventory(context())).noneMatch(o -> o.kind() == CloudObject.Kind.VM);
        assertThat(base().resolve("vms")).isEmptyDirectory();
        cpi().deleteStemcell(context(), broken);
    }

    @Test
    void aRangeInUseOnThisHostIsRefusedWithWhoUsesIt() {
        fails(
                Type.CLOUD_ERROR,
                () ->
                        cpi().createNetwork(
                                        context(),
                                        subnet(range + ".128/25", range + ".129", "other")),
                "clashes with " + range + ".0/24 of the Docker network '" + network + "'");
    }

    @Test
    void manyWhoMakeOneNetworkAtOnceAllGetIt() throws Exception {
        String name = network + "-many";
        Map<String, Object> wanted = Json.of("type", "manual", "netmask_bits", 28);
        Map<String, Object> found = cpi().createNetwork(context(), wanted).addressProperties();
        cpi().inventory(context()).stream()
                .filter(o -> o.kind() == CloudObject.Kind.NETWORK && !o.cid().equals(network))
                .forEach(o -> cpi().deleteNetwork(context(), o.cid()));
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var tries = new ArrayList<java.util.concurrent.Future<String>>();
            for (int i = 0; i < 8; i++) {
                Map<String, Object> same =
                        subnet(
                                String.valueOf(found.get("range")),
                                String.valueOf(found.get("gateway")),
                                name);
                tries.add(threads.submit(() -> cpi().createNetwork(context(), same).cid()));
            }
            for (var one : tries) {
                assertThat(one.get()).isEqualTo(name);
            }
        }
        cpi().deleteNetwork(context(), name);
    }

    @Test
    void aDiskThatCannotFitIsRefused() {
        fails(Type.NO_DISK_SPACE, () -> disk(1L << 40), "MiB free");
        DiskCid disk = disk(8);
        fails(Type.NO_DISK_SPACE, () -> cpi().resizeDisk(context(), disk, 1L << 40), "MiB free");
    }

    @Test
    void aFileSystemWithoutDevicesIsNamedAsTheReason() throws IOException {
        Path nodev = Files.createDirectories(folder.resolve("nodev"));
        host("mount -t tmpfs -o nodev,size=192m tmpfs " + nodev);
        var there = new DockerCpi(engine, nodev.resolve("cpi"));
        try {
            Map<String, Object> net =
                    Json.of(
                            "ip",
                            range + ".20",
                            "netmask",
                            "255.255.255.0",
                            "gateway",
                            range + ".1",
                            "cloud_properties",
                            Json.of("name", network));
            VmCid vm =
                    there.createVm(
                            context(),
                            new AgentId("nodev-" + director),
                            stemcell,
                            Map.of(),
                            Json.of("default", net),
                            List.of(),
                            Map.of());
            DiskCid disk = there.createDisk(context(), 8, Map.of(), null);
            fails(Type.CLOUD_ERROR, () -> there.attachDisk(context(), vm, disk), "nodev");
            there.deleteVm(context(), vm);
            there.deleteDisk(context(), disk);
        } finally {
            host("umount " + nodev);
        }
    }

    @Test
    void idsFromOutsideNeverLeaveTheFolder() {
        fails(
                Type.CPI_ERROR,
                () -> cpi().deleteDisk(context(), new DiskCid("../../etc")),
                "../../etc");
        fails(Type.CPI_ERROR, () -> cpi().deleteVm(context(), new VmCid("../x")), "../x");
    }
}
