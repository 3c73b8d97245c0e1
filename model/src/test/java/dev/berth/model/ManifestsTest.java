package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.ContainerNetwork.PortBinding;
import dev.berth.model.ContainerOrder.Dependency;
import dev.berth.model.ContainerOrder.Restart;
import dev.berth.model.ContainerStorage.Volume;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ManifestsTest {
    @Test
    void aManifestBecomesGroupsWithContainersDisksAndPolicies() {
        DeploymentManifest shop = Examples.shop();
        assertThat(shop.warnings()).isEmpty();
        assertThat(shop.name()).isEqualTo("shop");
        assertThat(shop.tags()).isEqualTo(Map.of("owner", "shop-team"));
        InstanceGroup db = shop.group("db").orElseThrow();
        assertThat(db.networks())
                .isEqualTo(
                        List.of(
                                new GroupNetwork(
                                        "default",
                                        List.of(IpAddress.parse("10.245.0.10")),
                                        java.util.Set.of("dns", "gateway"))));
        InstanceGroup web = shop.group("web").orElseThrow();
        assertThat(web.update().inFlight(2)).isEqualTo(1);
        assertThat(web.update().serial()).isFalse();
        assertThat(db.update().inFlight(3)).isEqualTo(1);
        assertThat(db.update().onFailure()).isEqualTo(UpdatePolicy.OnFailure.STOP);
        assertThat(web.update().onFailure()).isEqualTo(UpdatePolicy.OnFailure.ROLLBACK);
        assertThat(db.update().canaryWatchTime().max()).isEqualTo(Duration.ofMinutes(1));
        assertThat(db.update().updateWatchTime().min()).isEqualTo(Duration.ofMinutes(1));
        CloudConfig cloud = Examples.cloud();
        assertThat(cloud.disk(db).orElseThrow().sizeMb()).isEqualTo(10240);
        assertThat(cloud.disk(web)).isEmpty();
        assertThat(cloud.vmCloudProperties(web, "z1"))
                .isEqualTo(Map.of("zone", "a", "cpus", 8L, "ephemeral_disk", 4096L));
        assertThat(shop.stemcells().getFirst().resolve(Examples.STEMCELLS).orElseThrow().version())
                .isEqualTo("0.10");
    }

    @Test
    void composeKeysBecomeOneSpec() {
        ContainerSpec postgres = Examples.shop().group("db").orElseThrow().containers().getFirst();
        assertThat(postgres.process().environment())
                .isEqualTo(
                        Map.of("POSTGRES_PASSWORD", "((db_password))", "POSTGRES_VERSION", "1.10"));
        assertThat(postgres.network().ports())
                .isEqualTo(List.of(new PortBinding("", 5432, 5432, "tcp")));
        assertThat(postgres.storage().volumes())
                .isEqualTo(
                        List.of(
                                new Volume(
                                        Volume.Kind.STORE,
                                        "volumes/pgdata",
                                        "/var/lib/postgresql",
                                        false)));
        assertThat(postgres.resources().memory().limit()).isEqualTo(256L << 20);
        assertThat(postgres.order().stopGracePeriod()).isEqualTo(Duration.ofSeconds(90));
        assertThat(postgres.order().healthcheck())
                .isNotNull()
                .extracting(ContainerOrder.Healthcheck::test)
                .isEqualTo(List.of("CMD-SHELL", "pg_isready -U shop"));
        assertThat(postgres.order().restart()).isEqualTo(new Restart(Restart.Policy.ALWAYS, 0));
        assertThat(ContainerSpec.fromTree(postgres.toTree())).isEqualTo(postgres);
    }

    @Test
    void secretsAreFilledInLateAndOnlyOnDemand() {
        DeploymentManifest shop = Examples.shop();
        DeploymentManifest full = shop.interpolated(Examples.VARIABLES);
        List<ContainerSpec> raw = shop.group("db").orElseThrow().containers();
        List<ContainerSpec> resolved = full.group("db").orElseThrow().containers();
        assertThat(resolved.get(0).process().environment())
                .containsEntry("POSTGRES_PASSWORD", "s3cret");
        assertThat(resolved.get(1).process().command())
                .isEqualTo(List.of("write", "--dsn", "postgres://shop:s3cret@postgres/shop"));
        assertThat(resolved.get(0).digest()).isNotEqualTo(raw.get(0).digest());
        assertThat(shop.source().text()).isEqualTo(Examples.SHOP);
        assertThat(full.toString() + resolved).doesNotContain("s3cret");
    }

    @Test
    void theDockerReleaseReadsAsIn2014() {
        String old =
                """
                name: old
                releases: [{name: docker, version: latest}]
                stemcells: [{alias: default, name: berth-debian, version: 0.latest}]
                update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1, update_watch_time: 1}
                instance_groups:
                - name: docker
                  instances: 1
                  azs: [z1]
                  vm_type: default
                  stemcell: default
                  persistent_disk: 65536
                  networks: [{name: default}]
                  jobs:
                  - {name: docker, release: docker, properties: {tcp_port: 4243}}
                  - {name: containers, release: docker}
                properties:
                  containers:
                  - name: redis
                    image: redis
                    command: --dir "/var/lib/re dis" --x $HOME
                    entrypoint: /usr/bin/redis-server
                    bind_ports: "6379:6379, 127.0.0.1:53:53/udp,8000-8001:9000-9001,7000"
                    bind_volumes: ["/var/lib/redis"]
                    volumes: ["/var/vcap/store/shared:/shared:ro", "/var/vcap/data/tmp:/tmp", "/etc/ssl:/ssl", "/scratch"]
                    env_vars: ["A=b,c", "BARE"]
                    memory: 256m
                    depends_on: [docker]
                    restart: no
                    cpu_shares: 10
                    privileged: "true"
                    colour: red
                  - name: app
                    image: example/app@sha256:%s
                    links: ["redis:db"]
                """
                        .formatted("0".repeat(64));
        DeploymentManifest manifest =
                Manifests.resolve(
                        YamlDocument.parse(old),
                        Examples.VARIABLES,
                        Examples.cloud(),
                        Examples.STEMCELLS);
        ContainerSpec redis = manifest.instanceGroups().getFirst().containers().getFirst();
        assertThat(redis.process().command())
                .isEqualTo(List.of("--dir", "/var/lib/re dis", "--x", "$HOME"));
        assertThat(redis.process().entrypoint()).isEqualTo(List.of("/usr/bin/redis-server"));
        assertThat(redis.network().ports())
                .isEqualTo(
                        List.of(
                                new PortBinding("", 6379, 6379, "tcp"),
                                new PortBinding("127.0.0.1", 53, 53, "udp"),
                                new PortBinding("", 8000, 9000, "tcp"),
                                new PortBinding("", 8001, 9001, "tcp"),
                                new PortBinding("", 0, 7000, "tcp")));
        assertThat(redis.storage().volumes())
                .isEqualTo(
                        List.of(
                                new Volume(Volume.Kind.STORE, "shared", "/shared", true),
                                new Volume(Volume.Kind.DATA, "tmp", "/tmp", false),
                                new Volume(Volume.Kind.HOST, "/etc/ssl", "/ssl", false),
                                new Volume(
                                        Volume.Kind.DATA,
                                        "anonymous/redis/scratch",
                                        "/scratch",
                                        false),
                                new Volume(
                                        Volume.Kind.STORE,
                                        "containers/redis",
                                        "/var/lib/redis",
                                        false)));
        assertThat(redis.process().environment()).isEqualTo(Map.of("A", "b,c"));
        assertThat(redis.security().privileged()).isTrue();
        assertThat(redis.order().restart().policy()).isEqualTo(Restart.Policy.NO);
        assertThat(redis.order().dependsOn()).isEmpty();
        assertThat(manifest.instanceGroups().getFirst().containers().get(1).needs())
                .isEqualTo(List.of("redis"));
        assertThat(manifest.warnings().stream().map(Problem::text))
                .containsExactlyInAnyOrder(
                        "properties (line 16): Global 'properties' are deprecated. Please define"
                                + " 'properties' at the job level.",
                        "instance_groups[0].jobs[0].properties.tcp_port (line 14): the daemon's port"
                                + " stays closed (give 'tcp_address', 'tls_cacert', 'tls_cert' and"
                                + " 'tls_key')",
                        "properties.containers[0].volumes[3] (line 24): an anonymous volume: it is"
                                + " kept on the ephemeral disk and lost with the VM (give it a name to"
                                + " keep it: data:/scratch)",
                        "properties.containers[0].env_vars[1] (line 25): 'BARE' has no value and is"
                                + " left out",
                        "properties.containers[0].env_vars[0] (line 25): it has a comma, at which"
                                + " the docker release would have split it; here it is one element",
                        "properties.containers[0].colour (line 31): Unknown key 'colour' is ignored");
    }

    @Test
    void tenMistakesAreToldAtOnceWithTheirPlaces() {
        String wrong =
                """
                name: shop
                stemcells:
                - {alias: default, os: debain, version: latest}
                update: {canaries: 1, max_in_flight: few, canary_watch_time: 9-1, update_watch_time: 1, on_failure: rolback}
                instnce_groups: []
                instance_groups:
                - name: db
                  instances: one
                  azs: [z3]
                  vm_type: defualt
                  stemcell: default
                  networks: [{name: default}]
                  containers:
                  - name: postgres
                    image: Postgres:15
                    environment: {PASSWORD: ((nobody_knows))}
                    env_vars: [A=b]
                    ports: ["5432:5432"]
                    volumes: [data:/data, /anonymous]
                    depends_on: [writer]
                  - name: writer
                    image: writer
                    ports: [{target: 80, published: 5432}]
                    depends_on: {postgres: {condition: service_ok}, exporter: {}}
                    scale: 2
                    memmory: 1g
                """;
        assertThat(Examples.problems(wrong))
                .isEqualTo(
                        """
                        540001 instance_groups[0].containers[0].environment.PASSWORD (line 16): Failed to find variable '/berth/shop/nobody_knows' (define it under 'variables', or set it)
                        100 instnce_groups (line 5): Unknown key 'instnce_groups' (did you mean 'instance_groups'?)
                        100 update.max_in_flight (line 4): max_in_flight value should be integer or percent (such as 2 or 25%)
                        180001 update.canary_watch_time (line 4): Min watch time cannot be greater than max watch time
                        100 update.on_failure (line 4): 'rolback' is not known here ('stop' or 'rollback')
                        40000 instance_groups[0].instances (line 8): Property 'instances' value ("one") did not match the required type 'Integer'
                        100 instance_groups[0].containers[0].image (line 15): 'Postgres:15' is no image reference (such as registry.berth/shop/web:1.4; names are lower case)
                        100 instance_groups[0].containers[0].env_vars (line 17): 'environment' and 'env_vars' mean the same; give one of them
                        100 instance_groups[0].containers[0].volumes[1] (line 19): '/anonymous' would be an anonymous volume, whose data is lost with the container; give it a name, such as data:/anonymous
                        100 instance_groups[0].containers[1].scale (line 25): 'scale' is not supported (set 'instances' of the instance group)
                        100 instance_groups[0].containers[1].memmory (line 26): Unknown key 'memmory' (did you mean 'memory'?)
                        100 instance_groups[0].containers[1].depends_on.postgres.condition (line 24): 'service_ok' is no condition (service_started, service_healthy or service_completed_successfully)
                        100 instance_groups[0].containers[1].depends_on (line 24): Container 'writer' (instance group 'db') refers to an unknown container 'exporter' (known are: postgres, writer)
                        100 instance_groups[0].containers[1].depends_on (line 24): Containers of instance group 'db' depend on each other in a circle: postgres -> writer -> postgres (none of them could be started first)
                        100 instance_groups[0].containers[1].ports (line 23): Port 5432/tcp of the VM is published by both 'postgres' and 'writer'
                        100 instance_groups[0].containers[0].volumes (line 19): Container 'postgres' keeps data, but instance group 'db' has no persistent disk (give the group 'persistent_disk' (MiB) or 'persistent_disk_type')
                        50003 stemcells[0].version (line 3): Stemcell with Operating System 'debain' doesn't exist (there are: berth-debian/0.10, berth-debian/0.10-rc.1, berth-debian/0.9)
                        140004 instance_groups[0].vm_type (line 10): Instance group 'db' references an unknown vm type 'defualt' (did you mean 'default'?)
                        140018 instance_groups[0].azs[0] (line 9): Instance group 'db' references unknown availability zone 'z3' (did you mean 'z1'?)
                        """);
    }

    @Test
    void whatIsNotThereOrNoManifestIsSaidInBoshsWords() {
        assertThatThrownBy(() -> Manifests.parse(YamlDocument.parse("")))
                .hasMessage("Manifest should not be empty");
        assertThatThrownBy(() -> Manifests.parse(YamlDocument.parse("- a")))
                .hasMessage("Manifest should be a hash");
        assertThat(Examples.problems("jobs: []\nazs: []\n"))
                .contains("40001 document (line 1): Deployment manifest must have a 'name' key")
                .contains("190019 document (line 1): 'stemcells' needs to be specified")
                .contains("40001 document (line 1): Required property 'update' was not specified")
                .contains("140023 jobs (line 1): Jobs are no longer supported")
                .contains(
                        "190014 azs (line 2): Deployment manifest contains 'azs' section, but this"
                                + " can only be set in a cloud-config.");
    }

    @Test
    void valuesThatMayBeSecretAreNotShownInProblems() {
        String wrong = Examples.SHOP.replace("azs: [z1]", "env: hunter2");
        assertThat(Examples.problems(wrong))
                .contains("value (<redacted>)")
                .doesNotContain("hunter2");
        wrong = Examples.SHOP.replace("- name: db\n", "- env: {a: hunter2}\n");
        assertThat(Examples.problems(wrong))
                .contains("Required property 'name'")
                .doesNotContain("hunter2");
        wrong = Examples.SHOP.replace("POSTGRES_VERSION: 1.10", "X: [hunter2]");
        assertThat(Examples.problems(wrong)).contains("'X'").doesNotContain("hunter2");
    }

    @Test
    void whatOthersWaitForToEndIsNotRestartedWhenItEnds() {
        String manifest =
                Examples.SHOP.replace(
                        "postgres: {condition: service_healthy}",
                        "postgres: {condition: service_completed_successfully, restart: false}");
        DeploymentManifest shop = Manifests.parse(YamlDocument.parse(manifest), Examples.VARIABLES);
        List<ContainerSpec> containers = shop.group("db").orElseThrow().containers();
        assertThat(containers.get(0).order().restart().policy())
                .isEqualTo(Restart.Policy.ON_FAILURE);
        assertThat(containers.get(1).order().dependsOn())
                .isEqualTo(
                        List.of(
                                new Dependency(
                                        "postgres", Dependency.Condition.COMPLETED, false, true)));
    }

    @Test
    void placeholdersKeepTheTypeOfTheirValueAndEveryFailureIsTold() {
        var source =
                Map.<String, Object>of(
                        "/d/m/count",
                        3L,
                        "/shared",
                        Map.of("port", 80L, "list", List.of(1L, 2L)),
                        "/d/m/name",
                        "x");
        var variables = Interpolation.of(name -> Optional.ofNullable(source.get(name)), "d", "m");
        Object tree =
                YamlDocument.value(
                        "{a: ((count)), b: 'p((/shared.port))-((!count))', c: ((/shared.list)),"
                                + " ((name)): [((name))]}");
        assertThat(variables.resolve(tree))
                .isEqualTo(Map.of("a", 3L, "b", "p80-3", "c", List.of(1L, 2L), "x", List.of("x")));
        assertThat(variables.names(tree)).isEqualTo(List.of("/d/m/count", "/d/m/name", "/shared"));
        Object wrong =
                YamlDocument.value(
                        "{a: ((gone)), b: 'x((/shared))', c: ((/shared.nope)), d: ((a..b)), e:"
                                + " ((a b))}");
        assertThatThrownBy(() -> variables.resolve(wrong))
                .hasMessage(
                        """
                        a: Failed to find variable '/d/m/gone' (define it under 'variables', or set it)
                        b: Failed to substitute variable: Can not replace '((/shared))' in the text here. The value should be a String or an Integer.
                        c: Failed to fetch variable '/shared': its hash has no key 'nope'
                        d: Variable name 'a..b' syntax error: Must not contain consecutive dots
                        e: Variable name 'a b' must only contain alphanumeric, underscores, dashes, or forward slash characters\
                        """);
        assertThatThrownBy(() ->
                        Interpolation.absoluteOnly(name -> Optional.empty())
                                .resolve(Map.of("a", "((x))")))
                .hasMessageContaining("Relative paths are not allowed in this context");
    }

    @Test
    void numbersOfAManifestMayBeVariables() {
        var variables =
                Interpolation.of(
                        name -> Optional.of(name.endsWith("count") ? 2L : "s3cret"), "b", "shop");
        String manifest = Examples.SHOP.replace("instances: 2", "instances: ((count))");
        assertThat(
                        Manifests.parse(YamlDocument.parse(manifest), variables)
                                .group("web")
                                .orElseThrow()
                                .instances())
                .isEqualTo(2);
        assertThatThrownBy(() -> Manifests.parse(YamlDocument.parse(manifest)))
                .hasMessageContaining("a variable cannot be used here before it has a value");
    }
}
