package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.berth.acceptance.TestEnvironment.Touch;
import dev.berth.model.Fields;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A deployment of one VM with a disk that can grow in place, for tests of its containers: what they
 * are told from outside and behind Berth's back, and what is seen of them.
 */
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
final class OneVm {
    static final String INSTANCE = "all/0";

    private static final String RUN =
            "trap 'exit 0' TERM; trap 'echo the last words of $NAME; exit 7' USR1; ";

    private static final String STAY = "while :; do sleep 1 & wait $!; done";

    private static final Set<String> WELL = Set.of("up", "done");

    private final TestEnvironment environment;
    private final DirectorClient director;
    private final String name;

    OneVm(TestEnvironment environment, DirectorClient director, String name) {
        this.environment = environment;
        this.director = director;
        this.name = name;
    }

    String name() {
        return name;
    }

    /** The manifest around these containers. */
    String manifest(String containers) {
        return """
        name: %s
        stemcells: [{alias: default, os: berth-debian, version: latest}]
        update: {canaries: 1, max_in_flight: 1, canary_watch_time: 0-60000, update_watch_time: 0-60000}
        instance_groups:
        - name: all
          instances: 1
          azs: [z1]
          vm_type: default
          stemcell: default
          persistent_disk: 512
          env: {persistent_disk_fs: xfs}
          networks: [{name: default}]
          containers:
        %s\
        """
                .formatted(name, containers);
    }

    /**
     * A container that stays until it is told to end, and ends with code 7 and last words on USR1.
     *
     * @param first what its shell does before
     * @param more further keys, one a line
     */
    static String container(String name, String first, String... more) {
        String keys =
                java.util.Arrays.stream(more)
                        .map(key -> "    " + key + "\n")
                        .collect(java.util.stream.Collectors.joining());
        return """
          - name: %s
            image: registry.berth/shop-web:1
            entrypoint: [sh, -c, "%s"]
            environment: {NAME: %s, ROUND: "1 of %s"}
        %s\
        """
                .formatted(name, RUN + first + STAY, name, name, keys);
    }

    // --- doing

    void deploy(String manifest) {
        director.await(director.deploy(manifest)).done();
    }

    /** Ends the task with an error, which is returned. */
    String deployInVain(String manifest) {
        long task = director.deploy(manifest);
        DirectorClient.Ended ended = director.await(task);
        assertThat(ended.state()).as("state of task %s", task).isEqualTo("error");
        return ended.result() + director.output(task, "event");
    }

    String in(String script) {
        return environment.inVm(vm(), script).ok();
    }

    /** As the VM's own engine would be asked to, behind the agent's back. */
    void signal(String signal, String container) {
        in("docker kill -s " + signal + " " + container);
    }

    // --- looking

    String vm() {
        return instance().string("vm_cid");
    }

    String address() {
        return instance().strings("ips").getFirst();
    }

    Fields instance() {
        return environment.instances(director, name).get(INSTANCE);
    }

    /** What {@code berth why} says of the instance or, after a slash, of one container. */
    String why(String container) {
        return environment
                .berth("why", "-d", name, INSTANCE + (container.isEmpty() ? "" : "/" + container))
                .ok();
    }

    Fields seen(String container) {
        return director.containers(name).stream()
                .filter(c -> c.string("name").equals(container))
                .findFirst()
                .orElseThrow();
    }

    Map<String, Touch> touches() {
        return new TreeMap<>(environment.containersIn(vm()));
    }

    static Map<String, Touch> without(Map<String, Touch> touches, String... names) {
        var rest = new TreeMap<>(touches);
        List.of(names).forEach(rest::remove);
        return rest;
    }

    static Instant started(Map<String, Touch> touches, String container) {
        return Instant.parse(touches.get(container).startedAt());
    }

    List<String> lines(String script) {
        return in(script).lines().toList();
    }

    // --- waiting

    /** Runs, and not as before; while the daemon is away nobody can tell, which is no failure. */
    void awaitAnew(String container, Touch before) {
        await(container + " to run again")
                .atMost(TestEnvironment.SOON)
                .pollInterval(java.time.Duration.ofMillis(100))
                .untilAsserted(() -> {
                    Touch now = touches().get(container);
                    assertThat(now).isNotNull();
                    assertThat(now.running()).isTrue();
                    assertThat(now.startedAt()).isNotEqualTo(before.startedAt());
                });
    }

    /** Every container is up, or done, as the director sees it and as the engine does. */
    void awaitWell() {
        await(name + " to be well")
                .atMost(TestEnvironment.SOON)
                .untilAsserted(() -> {
                    assertThat(director.containers(name))
                            .isNotEmpty()
                            .allSatisfy(c -> {
                                assertThat(c.string("state", ""))
                                        .as("%s: %s", c.string("name"), c.string("reason", ""))
                                        .isIn(WELL);
                                assertThat(c.flag("agent_responsive", false)).isTrue();
                            });
                    assertThat(instance().string("job_state")).isEqualTo("running");
                });
    }
}
