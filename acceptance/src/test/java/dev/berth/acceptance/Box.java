package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Fields;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A small deployment for tests of faults: {@code keep/0} has a disk and a container that writes a
 * line to it at each start, with a dependent beside it; {@code front/0} and {@code front/1} have
 * nothing to lose. Its containers are up within a moment and end when they are told to.
 */
final class Box {
    static final int CONTAINERS = 4;

    private final TestEnvironment environment;
    private final String name;

    Box(TestEnvironment environment, String name) {
        this.environment = environment;
        this.name = name;
    }

    String name() {
        return name;
    }

    String manifest() {
        return """
        name: %s
        stemcells: [{alias: default, os: berth-debian, version: latest}]
        update: {canaries: 1, max_in_flight: 2, canary_watch_time: 0-120000, update_watch_time: 0-120000}
        instance_groups:
        - name: keep
          instances: 1
          azs: [z1]
          vm_type: default
          stemcell: default
          persistent_disk: 256
          networks: [{name: default}]
          containers:
          - name: keeper
            image: registry.berth/shop-web:1
            entrypoint: [sh, -c, "trap 'exit 0' TERM; echo started >> /data/starts; sync; while :; do sleep 1 & wait $!; done"]
            environment: {ROUND: "1"}
            volumes: ["data:/data"]
          - name: mate
            image: registry.berth/shop-web:1
            entrypoint: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
            depends_on: [keeper]
        - name: front
          instances: 2
          azs: [z1]
          vm_type: small
          stemcell: default
          networks: [{name: default}]
          containers:
          - name: idle
            image: registry.berth/shop-web:1
            entrypoint: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
            environment: {ROUND: "1"}
        """
                .formatted(name);
    }

    /** The same with another environment in {@code keeper} and {@code idle}: both are to move. */
    String round(int number) {
        return manifest().replace("ROUND: \"1\"", "ROUND: \"" + number + "\"");
    }

    Map<String, Fields> instances(DirectorClient director) {
        return new TreeMap<>(environment.instances(director, name));
    }

    Map<String, String> vms(DirectorClient director) {
        var vms = new TreeMap<String, String>();
        instances(director).forEach((key, i) -> vms.put(key, i.string("vm_cid", "")));
        return vms;
    }

    /** What tells of each container whether it was touched, by instance. */
    Map<String, Map<String, TestEnvironment.Touch>> touches(Map<String, String> vms) {
        var all = new TreeMap<String, Map<String, TestEnvironment.Touch>>();
        vms.forEach((instance, vm) -> all.put(instance, environment.containersIn(vm)));
        return all;
    }

    /** The lines the keeper ever wrote, read where it reads them. */
    List<String> starts(String vm) {
        return environment
                .inVm(
                        vm,
                        "docker exec $(docker ps -q --filter label=berth.container=keeper) cat /data/starts")
                .ok()
                .lines()
                .toList();
    }

    /** All is up, on the disk, and nothing else is there. */
    void assertWell(DirectorClient director) {
        environment.awaitAllUp(director, name, CONTAINERS);
        Map<String, Fields> instances = instances(director);
        assertThat(instances.keySet()).containsExactly("front/0", "front/1", "keep/0");
        Fields keep = java.util.Objects.requireNonNull(instances.get("keep/0"));
        assertThat(keep.strings("disk_cids")).hasSize(1);
        assertThat(environment.inVm(keep.string("vm_cid"), "cat /var/vcap/store/.berth-disk").ok())
                .contains(keep.strings("disk_cids").getFirst());
        environment.assertNothingLeaked(director);
    }
}
