package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What cannot be honoured is refused by key and place, with a remedy; what is odd gets a warning.
 */
class ContainerRefusalsTest {
    private static final String TWO = "{name: two, image: y}";

    private static String manifest(String group) {
        return Examples.SHOP
                + """
                - name: more
                  instances: 0
                  vm_type: default
                  azs: [z1]
                  stemcell: default
                  persistent_disk: 1
                  networks: [{name: default}]
                """
                + group.indent(2);
    }

    private static String compose(String keys) {
        return manifest("containers: [{name: one, image: x, " + keys + "}, " + TWO + "]");
    }

    private static String release(String keys) {
        return "releases: [{name: docker, version: latest}]\n"
                + manifest(
                        "jobs:\n- name: containers\n  release: docker\n  properties: {containers: [{name: one, image: x, "
                                + keys
                                + "}, "
                                + TWO
                                + "]}");
    }

    /** Each with the key that is named and a word of what is said. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "scale: 2 | scale | set 'instances'",
                "extends: {service: x} | extends | YAML anchor",
                "label_file: ./l | label_file | 'labels'",
                "use_api_socket: true | use_api_socket | root of its VM",
                "attach: false | attach | no meaning on a server",
                "develop: {watch: []} | develop | no meaning on a server",
                "models: [m] | models | no meaning on a server",
                "provider: {type: a} | provider | no meaning on a server",
                "isolation: hyperv | isolation | Windows",
                "credential_spec: {file: x} | credential_spec | Windows",
                "cpu_count: 2 | cpu_count | Windows",
                "cpu_percent: 2 | cpu_percent | Windows",
                "lxc_options: [a] | lxc_options | cap_adds",
                "container_name: other | container_name | remove one of them",
                "build: . | build | berth deploy",
                "build: {context: ., target: a} | build.context | berth deploy",
                "build: {dockerfile_inline: FROM a, ssh: [default]} | build.ssh | push",
                "build: {target: a} | build | nothing to build",
                "pull_policy: daily | pull_policy | a deploy pins them",
                "pull_policy: sometimes | pull_policy | missing, always or never",
                "env_file: ./web.env | env_file | absolute path",
                "environment: {A: } | environment.A | ((variable))",
                "deploy: {replicas: 2} | deploy.replicas | 'instances'",
                "deploy: {mode: global} | deploy.mode | 'instances'",
                "deploy: {placement: {}} | deploy.placement | 'azs'",
                "deploy: {update_config: {}} | deploy.update_config | 'update'",
                "deploy: {endpoint_mode: vip} | deploy.endpoint_mode | Swarm",
                "deploy: {resources: {limits: {memory: 64m}}}, mem_limit: 65m | mem_limit | differ",
                "deploy: {restart_policy: {condition: sometimes}} | deploy.restart_policy.condition | on-failure",
                "cpus: 1, cpu_quota: 5 | cpu_quota | exclude each other",
                "cpus: many | cpus | number of processors",
                "oom_kill_disable: true | oom_kill_disable | run out of memory",
                "memswap_limit: 64m | memswap_limit | needs a limit of memory",
                "mem_swappiness: 101 | mem_swappiness | 0 to 100",
                "blkio_weight: 9 | blkio_weight | 10 to 1000",
                "ulimits: {nofile: {soft: 3, hard: 2}} | ulimits.nofile | above the hard one",
                "devices: [null0] | devices[0] | no device",
                "gpus: some | gpus | all",
                "ports: ['80'], network_mode: 'service:two' | ports | cannot be honoured",
                "hostname: a, network_mode: 'service:two' | hostname | cannot be honoured",
                "dns: 1.1.1.1, network_mode: 'service:two' | dns | cannot be honoured",
                "ports: ['80'], network_mode: none | ports | cannot be honoured",
                "networks: [back], network_mode: host | networks | exclude each other",
                "networks: {back: {ipv4_address: 10.0.0.9}} | networks.back.ipv4_address | name or alias",
                "network_mode: 'service:twoo' | network_mode | did you mean 'two'?",
                "pid: 'service:twoo' | pid | did you mean 'two'?",
                "pid: mine | pid | host, service:NAME",
                "volumes_from: [twoo] | volumes_from | did you mean 'two'?",
                "volumes_from: ['container:x'] | volumes_from[0] | same group",
                "volumes: [/anonymous] | volumes[0] | give it a name",
                "volumes: [{type: npipe, source: a, target: /b}] | volumes[0].type | Windows",
                "volumes: [{type: image, source: a, target: /b}] | volumes[0].type | one-shot container",
                "volumes: [{type: volume, source: a, target: /b, volume: {subpath: ../x}}] | volumes[0] | within a volume",
                "volume_driver: nfs | volume_driver | folder of the persistent disk",
                "depends_on: {two: {condition: service_complete}} | depends_on.two.condition | service_healthy",
                "secrets: [kee] | secrets[0] | not defined under 'secrets'",
                "configs: [{source: x, mode: 999}] | configs[0] | not defined under 'configs'",
                "healthcheck: {test: [pg_isready]} | healthcheck.test | CMD-SHELL",
                "post_start: [{user: a}] | post_start[0] | 'command'",
                "stop_grace_period: 10 | stop_grace_period | 30s",
                "extra_hosts: [a] | extra_hosts[0] | host-gateway",
                "mac_address: 1 | mac_address | 02:42",
                "uts: mine | uts | host",
                "cgroup: mine | cgroup | private",
                "evironment: {A: b} | evironment | did you mean 'environment'?",
                // one thing said in both notations
                "environment: {A: b}, env_vars: [A=b] | env_vars | mean the same",
                "ports: ['1'], bind_ports: ['1'] | bind_ports | mean the same",
                "mem_limit: 64m, memory: 64m | memory | mean the same",
                "cap_add: [A], cap_adds: [A] | cap_adds | mean the same",
                "cap_drop: [A], cap_drops: [A] | cap_drops | mean the same",
                "group_add: [a], group_adds: [a] | group_adds | mean the same",
                "security_opt: [a], security_options: [a] | security_options | mean the same",
                "network_mode: host, net: host | net | mean the same",
                "dns_opt: [a], dns_options: [a] | dns_options | mean the same",
                "expose: [1], expose_ports: [1] | expose_ports | mean the same",
                "working_dir: /a, workdir: /a | workdir | mean the same",
                "logging: {driver: a}, log_driver: a | logging | mean the same",
                "blkio_config: {weight: 10}, blkio_weight: 10 | blkio_weight | mean the same",
                "mem_reservation: 8m, memory_reservation: 8m | memory_reservation | mean the same",
                "memswap_limit: -1, memory_swap: -1 | memory_swap | mean the same",
                "mem_swappiness: 1, memory_swappiness: 1 | memory_swappiness | mean the same",
            })
    void composeKeysAreRefusedWithARemedy(String keys, String place, String words) {
        assertThat(Examples.problems(compose(keys)).lines())
                .as(keys)
                .anySatisfy(line ->
                        assertThat(line)
                                .startsWith(
                                        "100 instance_groups[2].containers[0]." + place + " (line")
                                .contains(words));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "lxc_options: [a] | lxc_options | Docker 1.10",
                "disable_content_trust: false | disable_content_trust | sha256",
                "oom_kill_disable: 'true' | oom_kill_disable | run out of memory",
                "volume_driver: nfs | volume_driver | folder of the persistent disk",
                "env_file: [web.env] | env_file[0] | absolute path",
                "net: 'container:twoo' | net | did you mean 'two'?",
                "hostname: a, net: 'container:two' | hostname | cannot be honoured",
                "memory: 1m | memory | at least 6m",
            })
    void releaseKeysAreRefusedWithARemedy(String keys, String place, String words) {
        assertThat(Examples.problems(release(keys)).lines())
                .as(keys)
                .anySatisfy(line ->
                        assertThat(line)
                                .contains("properties.containers[0]." + place + " (line")
                                .contains(words));
    }

    /** Obsolete ones are never silent: what is taken otherwise, or not at all, is said. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "networking: false | taken as net: none",
                "networking: true | gone since June 2014",
                "kernel_memory: 8m | the Docker Engine ignores it",
                "group_adds: [mail] | never applied 'group_adds'",
                "healthcheck: {test: a} | Unknown key 'healthcheck' is ignored",
                "depend_on: [two] | did you mean 'depends_on'?",
                "volumes: [/a] | an anonymous volume",
                "bind_volumes: [/a, /b] | one and the same folder",
                "env_vars: ['A=b,c'] | has a comma",
                "env_vars: [A] | 'A' has no value",
                "net: lan | nothing makes it",
            })
    void releaseKeysThatDifferGetAWarning(String keys, String words) {
        DeploymentManifest read =
                Manifests.resolve(
                        YamlDocument.parse(release(keys)),
                        Examples.VARIABLES,
                        Examples.cloud(),
                        Examples.STEMCELLS);
        assertThat(read.warnings().stream().map(Problem::text))
                .as(keys)
                .anyMatch(text -> text.contains(words));
    }

    /** Logs of 2014 were rotated by the job's own settings. */
    @Test
    void oldRotationIsTheEnginesRotation() {
        String manifest =
                release("restart: always")
                        .replace(
                                "properties: {",
                                "properties: {docker: {user: root, containers: {logrotate: {size: 2M,"
                                        + " rotate: 7}}}, remote_syslog: {address: a}, ");
        DeploymentManifest read = Manifests.parse(YamlDocument.parse(manifest));
        ContainerSpec one = read.group("more").orElseThrow().containers().getFirst();
        assertThat(one.logging().options())
                .containsEntry("max-size", "2m")
                .containsEntry("max-file", "7");
        assertThat(read.warnings().toString()).contains("remote_syslog", "'user' has no effect");
    }

    /** Variables in secrets are resolved late, show nowhere, and a change moves the container. */
    @Test
    void secretsComeFromVariables() {
        String manifest =
                "secrets: {key: {content: ((db_password))}, same: {content: top}}\n"
                        + manifest(
                                """
                                secrets: {same: group}
                                containers: [{name: one, image: x, secrets: [key, {source: same, target: /s, mode: 0400}]}]
                                """);
        DeploymentManifest raw =
                Manifests.resolve(
                        YamlDocument.parse(manifest),
                        Examples.VARIABLES,
                        Examples.cloud(),
                        Examples.STEMCELLS);
        ContainerSpec before = raw.group("more").orElseThrow().containers().getFirst();
        ContainerSpec after =
                raw.interpolated(Examples.VARIABLES)
                        .group("more")
                        .orElseThrow()
                        .containers()
                        .getFirst();
        assertThat(before.storage().secrets().getFirst().content().reveal())
                .isEqualTo("((db_password))");
        assertThat(after.storage().secrets())
                .isEqualTo(
                        List.of(
                                new ContainerStorage.MountedFile(
                                        "key",
                                        "/run/secrets/key",
                                        new Secret("s3cret"),
                                        0,
                                        0,
                                        0444),
                                new ContainerStorage.MountedFile(
                                        "same", "/s", new Secret("group"), 0, 0, 0400)));
        assertThat(after.digest()).isNotEqualTo(before.digest());
        assertThat(raw + "" + after + after.storage()).doesNotContain("s3cret");
        String wrong =
                manifest.replace("{content: top}", "{file: ./top}").replace("key, {", "kee, {");
        assertThat(Examples.problems(wrong))
                .contains("secrets.same.file (line 1): 'file' is not supported")
                .contains("'kee' is not defined under 'secrets' (did you mean 'key'?)");
    }

    /** Containers of profiles that the group does not name are not there at all. */
    @Test
    void profilesAreChosenByTheGroup() {
        String group =
                "containers: [{name: one, image: x}, {name: two, image: y, profiles: [debug]}]\n";
        assertThat(names(manifest(group))).isEqualTo(List.of("one"));
        assertThat(names(manifest(group + "profiles: [debug]\n"))).isEqualTo(List.of("one", "two"));
        assertThat(
                        Examples.problems(
                                manifest(group.replace("image: x", "image: x, depends_on: [two]"))))
                .contains("unknown container 'two'");
    }

    private static List<String> names(String manifest) {
        return Manifests.parse(YamlDocument.parse(manifest))
                .group("more")
                .orElseThrow()
                .containers()
                .stream()
                .map(ContainerSpec::name)
                .toList();
    }

    /** Of all kinds of mounts only one is at a place. */
    @Test
    void twoMountsAtOnePlaceAreRefused() {
        assertThat(Examples.problems(compose("volumes: ['d:/a'], tmpfs: /a")))
                .contains("two volumes are mounted at '/a'");
    }

    /** Whoever takes over volumes of the disk waits for the disk. */
    @Test
    void volumesThatAreTakenOverCount() {
        String group =
                "containers: [{name: one, image: x, volumes_from: [two]},"
                        + " {name: two, image: y, volumes_from: [tri]},"
                        + " {name: tri, image: z, volumes: ['d:/d']}]\n";
        ContainerSpec one =
                Manifests.parse(YamlDocument.parse(manifest(group)))
                        .group("more")
                        .orElseThrow()
                        .containers()
                        .getFirst();
        assertThat(one.usesPersistentDisk()).isTrue();
        assertThat(one.persistentDisks()).isEqualTo(java.util.Set.of(""));
        assertThat(one.needs()).isEqualTo(List.of("two"));
    }

    /** A bind below the place of a disk with a name needs that disk, also when taken over. */
    @Test
    void volumesOnDisksWithANameNeedThem() {
        String group =
                "persistent_disks: [{name: logs, type: t}, {name: rows, type: t}]\n"
                        + "containers: [{name: one, image: x, volumes_from: [two]},"
                        + " {name: two, image: y, volumes: ['/var/vcap/disks/logs/a:/a',"
                        + " '/var/vcap/disks/rows/x:/b', '/var/log:/c']}]\n";
        String manifest = manifest(group).replace("  persistent_disk: 1\n", "");
        List<ContainerSpec> containers =
                Manifests.parse(YamlDocument.parse(manifest))
                        .group("more")
                        .orElseThrow()
                        .containers();
        for (ContainerSpec one : containers) {
            assertThat(one.persistentDisks()).isEqualTo(java.util.Set.of("logs", "rows"));
            assertThat(one.usesPersistentDisk()).isFalse();
            assertThat(ContainerSpec.fromTree(one.toTree())).isEqualTo(one);
        }
    }
}
