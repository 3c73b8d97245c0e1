package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.ContainerNetwork.PortBinding;
import dev.berth.model.ContainerStorage.Volume;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ContainersTest {
    private static final CloudConfig CLOUD = Examples.cloud();

    private static ContainerSpec one(String keys) {
        String manifest =
                Examples.SHOP
                        + "  - name: more\n    instances: 0\n    vm_type: default\n"
                                .replace("  - ", "- ")
                                .replace("\n    ", "\n  ")
                        + "  azs: [z1]\n  stemcell: default\n  persistent_disk: 1\n"
                        + "  networks: [{name: default}]\n"
                        + "  containers: [{name: one, image: x, "
                        + keys
                        + "}]\n";
        return Manifests.parse(YamlDocument.parse(manifest), Examples.VARIABLES)
                .group("more")
                .orElseThrow()
                .containers()
                .getFirst();
    }

    @Test
    void portsHaveAShortAndALongForm() {
        assertThat(
                        one("ports: [80, '8080:80', '127.0.0.1::53/udp', '[::1]:1:2', '10-11:20-21']")
                                .network()
                                .ports())
                .isEqualTo(
                        List.of(
                                new PortBinding("", 0, 80, "tcp"),
                                new PortBinding("", 8080, 80, "tcp"),
                                new PortBinding("127.0.0.1", 0, 53, "udp"),
                                new PortBinding("::1", 1, 2, "tcp"),
                                new PortBinding("", 10, 20, "tcp"),
                                new PortBinding("", 11, 21, "tcp")));
        assertThat(
                        one("ports: [{target: 80, published: '81', host_ip: 10.0.0.1, protocol: udp}, 22:22]")
                                .network()
                                .ports())
                .isEqualTo(
                        List.of(
                                new PortBinding("10.0.0.1", 81, 80, "udp"),
                                new PortBinding("", 22, 22, "tcp")));
        for (String wrong :
                List.of("x", "80:90-91", "0:80", "1:70000", "1:2:3:4", "80/xyz", "1-9999:1-9999")) {
            assertThatThrownBy(() -> one("ports: ['" + wrong + "']"))
                    .as(wrong)
                    .isInstanceOf(ProblemException.class)
                    .hasMessageStartingWith(
                            "instance_groups[2].containers[0].ports[0] (line 60): ");
        }
    }

    @Test
    void volumesSayWhereTheDataLives() {
        assertThat(
                        one("volumes: ['data:/a', '/var/vcap/store/x//y/:/b:ro', '/var/vcap/data/t:/c',"
                                        + " '/dev/log:/d:rw,z', {type: volume, source: data, target: /e,"
                                        + " read_only: true}], bind_volumes: [/f]")
                                .storage()
                                .volumes())
                .isEqualTo(
                        List.of(
                                new Volume(Volume.Kind.STORE, "volumes/data", "/a", false),
                                new Volume(Volume.Kind.STORE, "x/y", "/b", true),
                                new Volume(Volume.Kind.DATA, "t", "/c", false),
                                new Volume(Volume.Kind.HOST, "/dev/log", "/d", false),
                                new Volume(Volume.Kind.STORE, "volumes/data", "/e", true),
                                new Volume(Volume.Kind.STORE, "containers/one", "/f", false)));
        for (String wrong :
                List.of(
                        "/data",
                        "./data:/data",
                        "data:data",
                        "/a/../b:/c",
                        "/var/vcap/store:/all",
                        "/var/vcap/store/.berth-disk:/x",
                        "a:/",
                        "a:/b:wild")) {
            assertThatThrownBy(() -> one("volumes: ['" + wrong + "']"))
                    .as(wrong)
                    .isInstanceOf(ProblemException.class);
        }
        assertThatThrownBy(() -> one("volumes: ['a:/x', 'b:/x/']"))
                .hasMessageContaining("two volumes are mounted at '/x'");
        assertThatThrownBy(() -> one("bind_volumes: [/a, /b]"))
                .hasMessageContaining("one and the same folder");
    }

    @Test
    void commandsAreSplitAsAShellWouldAndDollarsAreDoubled() {
        assertThat(one("command: \"sh -c 'echo $$HOME \\\"x\\\"' a\\\\ b\"").process().command())
                .isEqualTo(List.of("sh", "-c", "echo $HOME \"x\"", "a b"));
        assertThat(one("command: [run, 8080, true, 'a b']").process().command())
                .isEqualTo(List.of("run", "8080", "true", "a b"));
        assertThat(one("command: ''").process().command()).isEmpty();
        assertThat(one("command: ~").process().command()).isNull();
        assertThatThrownBy(() -> one("command: \"echo 'x\"")).hasMessageContaining("is not closed");
    }

    @Test
    void sizesDurationsAndHealthChecksAreRead() {
        assertThat(one("mem_limit: 0.5g".replace("0.5g", "1536M")).resources().memory().limit())
                .isEqualTo(1536L << 20);
        assertThat(one("memory: 10485760").resources().memory().limit()).isEqualTo(10L << 20);
        assertThat(one("stop_grace_period: 1h2m3.5s4ms").order().stopGracePeriod())
                .isEqualTo(Duration.parse("PT1H2M3.504S"));
        var check =
                one("healthcheck: {test: [CMD, x, $$y], retries: 3, timeout: 1s}")
                        .order()
                        .healthcheck();
        assertThat(check)
                .isEqualTo(
                        new ContainerOrder.Healthcheck(
                                List.of("CMD", "x", "$y"),
                                Duration.ZERO,
                                Duration.ofSeconds(1),
                                3,
                                Duration.ZERO));
        for (String wrong :
                List.of(
                        "memory: 1m",
                        "memory: much",
                        "stop_grace_period: 10",
                        "healthcheck: {test: [x]}",
                        "healthcheck: {retrys: 1}",
                        "restart: sometimes",
                        "hostname: a_b",
                        "environment: {A: }",
                        "environment: [B]",
                        "environment: [A=1, A=2]",
                        "depends_on: [one]",
                        "build: .",
                        "deploy: {replicas: 2}")) {
            assertThatThrownBy(() -> one(wrong)).as(wrong).isInstanceOf(ProblemException.class);
        }
    }

    /** However a manifest is broken, the answer is a list of problems and nothing else. */
    @Property(tries = 500)
    void aBrokenManifestIsReadOrRefusedWithProblems(
            @ForAll int where, @ForAll("replacements") @Nullable Object replacement) {
        Object shop = YamlDocument.parse(Examples.SHOP).root();
        var counter = new int[] {Math.floorMod(where, 160)};
        YamlDocument broken = YamlDocument.of(replaced(shop, counter, replacement));
        try {
            Manifests.resolve(broken, Examples.VARIABLES, CLOUD, Examples.STEMCELLS)
                    .interpolated(Examples.VARIABLES);
        } catch (ProblemException e) {
            assertThat(e.getMessage()).doesNotContain("s3cret");
        }
    }

    @Property(tries = 200)
    void aBrokenCloudConfigIsReadOrRefusedWithProblems(
            @ForAll int where, @ForAll("replacements") @Nullable Object replacement) {
        Object cloud = YamlDocument.parse(Examples.CLOUD).root();
        var counter = new int[] {Math.floorMod(where, 60)};
        try {
            CloudConfigs.parse(YamlDocument.of(replaced(cloud, counter, replacement)));
        } catch (ProblemException e) {
            assertThat(e.problems()).isNotEmpty();
        }
    }

    /** A copy in which the n-th node is another one. */
    private static @Nullable Object replaced(
            @Nullable Object tree, int[] counter, @Nullable Object replacement) {
        if (counter[0]-- == 0) {
            return replacement;
        }
        return switch (tree) {
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<Object, @Nullable Object>();
                map.forEach((k, v) -> copy.put(k, replaced(v, counter, replacement)));
                yield copy;
            }
            case List<?> list -> {
                var copy = new ArrayList<@Nullable Object>();
                list.forEach(v -> copy.add(replaced(v, counter, replacement)));
                yield copy;
            }
            case null, default -> tree;
        };
    }

    @Provide
    Arbitrary<@Nullable Object> replacements() {
        return Arbitraries.oneOf(
                Trees.any(),
                Arbitraries.of(
                        "((db_password))",
                        "((missing))",
                        "x((db_password.key))",
                        "10.0.0.1 - ::1",
                        "10.0.0.0 - 10.255.255.255",
                        "999999999999%",
                        "1-2-3",
                        "-1",
                        -1L,
                        0L,
                        Long.MAX_VALUE,
                        List.of(Map.of()),
                        Map.of("name", Map.of())));
    }
}
