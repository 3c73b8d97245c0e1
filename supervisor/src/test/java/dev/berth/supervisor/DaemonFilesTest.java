package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.DaemonSettings;
import dev.berth.model.Json;
import dev.berth.model.Secret;
import dev.berth.supervisor.DaemonChange.Effect;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** From settings to the daemon's files, and from two of those to the least that must move. */
class DaemonFilesTest {
    private static final DaemonPlace VM =
            DaemonPlace.inVm(
                    Path.of("/var/vcap"),
                    Path.of("/var/run/docker.sock"),
                    Path.of("/run/docker.pid"));

    private static DaemonSettings settings(Map<String, Object> config) {
        return new DaemonSettings(
                config, "", "", Map.of(), Map.of(), DaemonSettings.Tcp.NONE, 0, 0);
    }

    private static DaemonFiles files(DaemonSettings settings) {
        return DaemonFiles.of(settings, 3, VM);
    }

    private static final DaemonFiles DEFAULT = files(DaemonSettings.NONE);

    /** What a VM starts with before its agent has spoken is what the agent takes for granted. */
    @Test
    void theStemcellsFileIsTheOneWithoutSettings() throws IOException {
        Path shipped = Path.of("../stemcell/src/main/resources/dev/berth/stemcell/dockerd.json");
        assertThat(Json.canonical(Json.parse(Files.readString(shipped))))
                .isEqualTo(Json.canonical(DEFAULT.json()));
    }

    /** One setting each: what its change does to a daemon whose containers run. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "debug|true|RELOAD",
                "labels|[\"a=b\"]|RELOAD",
                "insecure-registries|[\"r:5000\"]|RELOAD",
                "registry-mirrors|[\"https://m\"]|RELOAD",
                "max-concurrent-downloads|9|RELOAD",
                "max-concurrent-uploads|9|RELOAD",
                "shutdown-timeout|60|RELOAD",
                "default-runtime|`crun`|RELOAD",
                "runtimes|{\"crun\":{\"path\":\"/usr/bin/crun\"}}|RELOAD",
                "features|{\"buildkit\":true}|RELOAD",
                "log-level|`warn`|RESTART",
                "log-driver|`local`|RESTART",
                "log-opts|{\"max-size\":\"1m\"}|RESTART",
                "dns|[\"10.0.0.2\"]|RESTART",
                "dns-opts|[\"ndots:2\"]|RESTART",
                "dns-search|[\"example.com\"]|RESTART",
                "default-ulimits|{\"nofile\":{\"Name\":\"nofile\",\"Soft\":1,\"Hard\":2}}|RESTART",
                "ip-forward|false|RESTART",
                "userland-proxy|false|RESTART",
                "bip|`10.9.0.1/24`|CONTAINERS",
                "bridge|`none`|CONTAINERS",
                "default-address-pools|[]|CONTAINERS",
                "default-gateway|`10.9.0.9`|CONTAINERS",
                "default-gateway-v6|`fd00::1`|CONTAINERS",
                "exec-opts|[\"native.cgroupdriver=systemd\"]|CONTAINERS",
                "icc|false|CONTAINERS",
                "ip|`127.0.0.1`|CONTAINERS",
                "ip-masq|false|CONTAINERS",
                "iptables|false|CONTAINERS",
                "ipv6|true|CONTAINERS",
                "mtu|1400|CONTAINERS",
                "selinux-enabled|true|CONTAINERS",
                "storage-driver|`vfs`|CONTAINERS",
                "storage-opts|[\"a=b\"]|CONTAINERS"
            })
    void oneSetting(String key, String value, Effect effect) {
        Object given = value.matches("[\\[{].*|true|false|\\d+") ? Json.parse(value) : value;
        DaemonFiles now = files(settings(new TreeMap<>(Map.of(key, (Object) given))));
        assertThat(DaemonChange.between(DEFAULT, now).effect()).isEqualTo(effect);
        assertThat(DaemonChange.between(now, DEFAULT).effect()).as("and back").isEqualTo(effect);
        assertThat(DaemonChange.between(now, now).effect()).isEqualTo(Effect.NOTHING);
        DaemonFiles spared = now.sparingContainers(DEFAULT);
        assertThat(DaemonChange.between(DEFAULT, spared).effect())
                .as("what can be given while containers run")
                .isEqualTo(effect == Effect.CONTAINERS ? Effect.NOTHING : effect);
    }

    @Test
    void whatIsBesideTheFile() {
        var settings =
                new DaemonSettings(
                        Map.of("bridge", "bosh0", "log-opts", Map.of("max-size", "1m")),
                        "/var/vcap/store",
                        "10.7",
                        Map.of("r.example:5000", "PEM"),
                        Map.of("http_proxy", new Secret("http://u:pw@p:1")),
                        new DaemonSettings.Tcp("10.0.0.1", 4243, "CA", "CERT", new Secret("KEY")),
                        65536,
                        262144);
        DaemonFiles files = files(settings);
        assertThat(files.json())
                .containsEntry("bridge", "bosh0")
                .doesNotContainKey("bip")
                .containsEntry("data-root", "/var/vcap/store/docker/docker")
                .containsEntry("log-opts", Map.of("max-size", "1m", "max-file", "3"))
                .containsEntry(
                        "hosts", List.of("unix:///var/run/docker.sock", "tcp://10.0.0.1:4243"))
                .containsEntry("tlsverify", true)
                .containsEntry("tlskey", "/var/vcap/bosh/dockerd/tls/key.pem");
        assertThat(files.bridge()).isEqualTo("10.7.3.1/24");
        assertThat(files.environment()).containsEntry("HTTP_PROXY", "http://u:pw@p:1");
        assertThat(files.tls()).containsEntry("key.pem", "KEY");
        assertThat(files.toString()).doesNotContain("pw", "KEY");
        assertThat(settings.toString()).doesNotContain("pw", "KEY");
        assertThat(DaemonFiles.fromTree(Json.object(Json.write(files.toTree())))).isEqualTo(files);
    }

    @Test
    void certificatesAndKernelAskForNothingOfTheDaemon() {
        DaemonFiles now =
                files(
                        new DaemonSettings(
                                Map.of(),
                                "",
                                "",
                                Map.of("r", "PEM"),
                                Map.of(),
                                DaemonSettings.Tcp.NONE,
                                0,
                                262144));
        assertThat(DaemonChange.between(DEFAULT, now).effect()).isEqualTo(Effect.FILES);
    }

    /** Without live-restore no restart leaves containers alone, so none may claim to. */
    @Test
    void withoutLiveRestoreARestartStopsContainers() {
        DaemonFiles off = files(settings(Map.of("live-restore", false)));
        assertThat(DaemonChange.between(DEFAULT, off).effect()).isEqualTo(Effect.RELOAD);
        DaemonFiles more = files(settings(Map.of("live-restore", false, "log-level", "warn")));
        assertThat(DaemonChange.between(off, more).effect()).isEqualTo(Effect.CONTAINERS);
    }
}
