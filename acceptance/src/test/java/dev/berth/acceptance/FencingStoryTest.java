package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.model.Fields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * VMs that only look dead, with a writer on the disk of each: one is frozen, one is cut from the
 * network and writes on. Both are rebooted, and replaced where that does not help, and not one
 * write of theirs comes after the disk was mounted by another; nothing that was acknowledged is
 * lost (rule R1).
 */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class FencingStoryTest {
    private static final String NAME = "fenced";

    /**
     * Each row is on the disk before it is acknowledged, and says which life of the writer it is.
     */
    private static final String WRITER =
            "id=$(cat /proc/sys/kernel/random/uuid);"
                    + " n=$(tail -n 1 /data/rows 2> /dev/null | cut -d ' ' -f 2); n=${n:-0};"
                    + " while :; do n=$(expr $n + 1); echo \\\"$id $n\\\" >> /data/rows; sync /data/rows;"
                    + " echo $n > /data/acked; sleep 0.05; done";

    private static final String MANIFEST =
            """
            name: %s
            stemcells: [{alias: default, os: berth-debian, version: latest}]
            update: {canaries: 0, max_in_flight: 3, canary_watch_time: 0-120000, update_watch_time: 0-120000}
            instance_groups:
            - name: db
              instances: 3
              azs: [z1]
              vm_type: default
              stemcell: default
              persistent_disk: 128
              networks: [{name: default}]
              containers:
              - name: writer
                image: registry.berth/shop-web:1
                entrypoint: [sh, -c, "%s"]
                volumes: ["data:/data"]
            """
                    .formatted(NAME, WRITER);

    private final TestEnvironment environment;
    private final DirectorClient director;

    FencingStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
    }

    @AfterAll
    void clean() {
        Deployments.delete(director, NAME);
        director.close();
    }

    @Test
    void aVmThatOnlyLooksDeadWritesNothingAfterItsDiskHasMoved() {
        director.await(director.deploy(MANIFEST)).done();
        environment.awaitAllUp(director, NAME, 3);
        Map<String, Fields> before = environment.instances(director, NAME);
        String frozen = before.get("db/0").string("vm_cid");
        String cut = before.get("db/1").string("vm_cid");
        await().atMost(TestEnvironment.SOON)
                .until(() -> acknowledged(frozen) > 5 && acknowledged(cut) > 5);
        Set<String> frozenProcesses = processesOf(frozen);
        Set<String> cutProcesses = processesOf(cut);
        assertThat(frozenProcesses).hasSizeGreaterThan(3);

        long ofFrozen = acknowledged(frozen);
        environment.docker("pause", frozen).ok();
        environment.docker("network", "disconnect", environment.file().networkName(), cut).ok();
        long ofCut = acknowledged(cut);
        await("what runs in the VM writes on")
                .atMost(TestEnvironment.SOON)
                .until(() -> acknowledged(cut) > ofCut + 20);
        long last = lastAcknowledged(cut, ofCut);

        environment.awaitAllUp(director, NAME, 3);
        Map<String, Fields> after = environment.instances(director, NAME);
        assertThat(after.get("db/2").string("vm_cid"))
                .isEqualTo(before.get("db/2").string("vm_cid"));
        assertFenced(frozen, frozenProcesses, before.get("db/0"), after.get("db/0"), ofFrozen);
        assertThat(after.get("db/1").string("vm_cid"))
                .as("no reboot mends a cut")
                .isNotEqualTo(cut);
        assertFenced(cut, cutProcesses, before.get("db/1"), after.get("db/1"), last);
    }

    /** Until the VM is gone. */
    private long lastAcknowledged(String vm, long atLeast) {
        long last = atLeast;
        while (environment.docker("inspect", vm).code() == 0) {
            last = Math.max(last, acknowledged(vm));
        }
        return last;
    }

    private void assertFenced(
            String old, Set<String> oldProcesses, Fields before, Fields after, long acknowledged) {
        String vm = after.string("vm_cid");
        assertThat(after.strings("disk_cids")).isEqualTo(before.strings("disk_cids"));
        if (!vm.equals(old)) { // else a reboot was enough: nothing of its life before is left
            // It cannot come back to life: it is not there, and neither is anything that ran in it.
            Shell.Ran unpaused = environment.docker("unpause", old);
            assertThat(unpaused.code()).isNotZero();
            assertThat(unpaused.said()).contains("No such container");
            assertThat(environment.docker("start", old).said()).contains("No such container");
        }
        assertThat(alive()).doesNotContainAnyElementsOf(oldProcesses);
        Set<String> mounters = mountersOf(after.strings("disk_cids").getFirst());
        assertThat(mounters).isNotEmpty();
        mounters.removeAll(processesOf(vm));
        mounters.retainAll(alive()); // the writer's own short commands end between two looks
        assertThat(mounters).as("who sees the disk mounted, and is not of the new VM").isEmpty();
        await().atMost(TestEnvironment.SOON).until(() -> acknowledged(vm) > acknowledged + 5);
        assertLedger(rows(vm), acknowledged);
    }

    /** Every row in order and none twice, and no writer writes again after another has begun. */
    private static void assertLedger(List<String> rows, long acknowledged) {
        assertThat(rows.size()).isGreaterThan((int) acknowledged);
        var writers = new LinkedHashSet<String>();
        String current = "";
        for (int i = 0; i < rows.size(); i++) {
            String[] row = rows.get(i).split(" ");
            assertThat(row).as("row %d: %s", i, rows.get(i)).hasSize(2);
            assertThat(Long.parseLong(row[1])).isEqualTo(i + 1L);
            if (!row[0].equals(current)) {
                assertThat(writers.add(row[0])).as("writer %s came back", row[0]).isTrue();
                current = row[0];
            }
        }
        // One more where a reboot came before the replacement: the VM wrote on alone until then.
        assertThat(writers).hasSizeBetween(2, 3);
    }

    private List<String> rows(String vm) {
        return inWriter(vm, "cat /data/rows").ok().lines().toList();
    }

    /** The last one that was; 0 when nobody answers. */
    private long acknowledged(String vm) {
        String said = inWriter(vm, "cat /data/acked").out().strip();
        return said.matches("\\d+") ? Long.parseLong(said) : 0;
    }

    private Shell.Ran inWriter(String vm, String script) {
        return environment.inVm(
                vm,
                "docker exec $(docker ps -q --filter label=berth.container=writer) sh -c '"
                        + script
                        + "'");
    }

    // --- processes, as the host sees them

    /** {@code pid/start time}: numbers are used again. */
    private Set<String> processesOf(String vm) {
        String id = environment.docker("inspect", "--format", "{{.Id}}", vm).ok().strip();
        return processes(pid -> text(pid.resolve("cgroup")).contains(id));
    }

    private static Set<String> alive() {
        return processes(pid -> true);
    }

    /** Who sees the disk mounted. */
    private Set<String> mountersOf(String disk) {
        Path image = environment.home().resolve("cpi/disks/" + disk + "/disk.img");
        List<String> numbers =
                Shell.run(List.of("losetup", "-j", image.toString(), "-n", "-O", "MAJ:MIN"))
                        .ok()
                        .lines()
                        .map(String::strip)
                        .toList();
        assertThat(numbers).hasSize(1);
        return processes(pid ->
                text(pid.resolve("mountinfo"))
                        .lines()
                        .anyMatch(line -> line.split(" ")[2].equals(numbers.getFirst())));
    }

    private static Set<String> processes(java.util.function.Predicate<Path> which) {
        var found = new ArrayList<Path>();
        try (var all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            all.forEach(found::add);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return found.stream()
                .filter(which)
                .map(pid -> pid.getFileName() + "/" + startOf(pid))
                .filter(name -> !name.endsWith("/"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String startOf(Path pid) {
        String stat = text(pid.resolve("stat"));
        int end = stat.lastIndexOf(") ");
        return end < 0 ? "" : stat.substring(end + 2).split(" ")[19];
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return ""; // it has ended
        }
    }
}
