package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The properties of the docker release's job {@code docker}, in each of their spellings. */
class DaemonSettingsTest {
    private static final String PEM =
            "-----BEGIN CERTIFICATE-----\\nAA==\\n-----END CERTIFICATE-----";

    private static final VariableSource VARIABLES =
            name ->
                    Optional.ofNullable(
                            Map.<String, Object>of(
                                            "/d/shop/proxy", "http://u:hush-hush@proxy:3128",
                                            "/d/shop/level", "loud",
                                            "/d/shop/tls",
                                                    Map.of(
                                                            "ca",
                                                            "CA",
                                                            "certificate",
                                                            "C",
                                                            "key",
                                                            "K"))
                                    .get(name));

    private enum Notation {
        BLOCK,
        JOB,
        JOB_OF_2014,
        GLOBAL
    }

    /** A manifest with the same property in one of the places where it may stand. */
    private static DeploymentManifest manifest(Notation notation, String property, String more) {
        String job = "  jobs: [{name: docker, release: docker, properties: {%s}}]\n";
        String group =
                switch (notation) {
                    case BLOCK -> "  docker: {" + property + "}\n";
                    case JOB -> job.formatted(property);
                    case JOB_OF_2014 -> job.formatted("docker: {" + property + "}");
                    case GLOBAL -> "  jobs: [{name: docker, release: docker}]\n";
                };
        String text =
                """
                name: shop
                releases: [{name: docker, version: latest}]
                stemcells: [{alias: default, os: berth-debian, version: latest}]
                update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1, update_watch_time: 1}
                %s
                instance_groups:
                - name: web
                  instances: 1
                  vm_type: default
                  stemcell: default
                  networks: [{name: default}]
                  containers: []
                """
                                .formatted(
                                        notation == Notation.GLOBAL
                                                ? "properties: {docker: {" + property + "}}"
                                                : "")
                        + group
                        + more;
        var values = Interpolation.of(VARIABLES, "d", "shop");
        DeploymentManifest read = Manifests.parse(YamlDocument.parse(text), values);
        return read.interpolated(values);
    }

    private static DaemonSettings settings(Notation notation, String property) {
        return manifest(notation, property, "").instanceGroups().getFirst().daemon();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "bridge: bosh0|bridge|\"bosh0\"",
                "debug: true|debug|true",
                "debug: 'true'|debug|true",
                "default_gateway: 10.0.0.1|default-gateway|\"10.0.0.1\"",
                "default_gateway_v6: 'fd00::1'|default-gateway-v6|\"fd00::1\"",
                "default_ulimits: [nofile=1024:2048]|default-ulimits|{\"nofile\":{\"Hard\":2048,\"Name\":\"nofile\",\"Soft\":1024}}",
                "default_ulimits: ['nproc=64']|default-ulimits|{\"nproc\":{\"Hard\":64,\"Name\":\"nproc\",\"Soft\":64}}",
                "dns_servers: [10.0.0.2]|dns|[\"10.0.0.2\"]",
                "dns_servers: '10.0.0.2,10.0.0.3'|dns|[\"10.0.0.2\",\"10.0.0.3\"]",
                "dns_options: ['ndots:2']|dns-opts|[\"ndots:2\"]",
                "dns_search: [example.com]|dns-search|[\"example.com\"]",
                "exec_options: [native.cgroupdriver=cgroupfs]|exec-opts|[\"native.cgroupdriver=cgroupfs\"]",
                "icc: false|icc|false",
                "iptables: false|iptables|false",
                "ip_forward: false|ip-forward|false",
                "ip_masq: false|ip-masq|false",
                "ip: 10.0.0.9|ip|\"10.0.0.9\"",
                "ipv6: true|ipv6|true",
                "mtu: 1400|mtu|1400",
                "insecure_registries: ['r:5000']|insecure-registries|[\"r:5000\"]",
                "registry_mirrors: ['https://m']|registry-mirrors|[\"https://m\"]",
                "labels: [a=b]|labels|[\"a=b\"]",
                "live_restore: true|live-restore|true",
                "log_level: warn|log-level|\"warn\"",
                "log_driver: local|log-driver|\"local\"",
                "log_options: [max-size=1m]|log-opts|{\"max-size\":\"1m\"}",
                "log_options: {max-file: 2}|log-opts|{\"max-file\":\"2\"}",
                "selinux_enable: true|selinux-enabled|true",
                "storage_driver: vfs|storage-driver|\"vfs\"",
                "storage_options: [overlay2.override_kernel_check=true]|storage-opts|[\"overlay2.override_kernel_check=true\"]",
                "userland_proxy: false|userland-proxy|false",
                "bip: 10.9.0.1/24|bip|\"10.9.0.1/24\"",
                "default_address_pools: [{base: 10.9.0.0/16, size: 24}]|default-address-pools|[{\"base\":\"10.9.0.0/16\",\"size\":24}]",
                "default_runtime: crun|default-runtime|\"crun\"",
                "runtimes: {crun: {path: /usr/bin/crun}}|runtimes|{\"crun\":{\"path\":\"/usr/bin/crun\"}}",
                "features: {buildkit: true}|features|{\"buildkit\":true}",
                "max_concurrent_downloads: 9|max-concurrent-downloads|9",
                "max_concurrent_uploads: 9|max-concurrent-uploads|9",
                "shutdown_timeout: 60|shutdown-timeout|60"
            })
    void everyPropertyOfTheFileInEverySpelling(String property, String key, String json) {
        for (Notation notation : Notation.values()) {
            assertThat(Json.canonical(settings(notation, property).config()))
                    .as("%s", notation)
                    .isEqualTo("{\"" + key + "\":" + json + "}");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "cidr_prefix: '10.7'|{\"cidr_prefix\":\"10.7\"}",
                "env: {http_proxy: 'http://p:1', no_proxy: a}|{\"proxies\":{\"http_proxy\":\"http://p:1\",\"no_proxy\":\"a\"}}",
                "ulimit: {nofile: 65536}|{\"nofile\":65536}",
                "vm: {max_map_count: 262144}|{\"max_map_count\":262144}",
                "vm: {max_map_count: ''}|{}",
                "store_dir: /var/vcap/data/|{\"store_dir\":\"/var/vcap/data\"}",
                "registry_ca_cert: [{domain_name: 'r:5000', ca_cert: 'A\\nB'}]|{\"registry_cas\":{\"r:5000\":\"A\\nB\\n\"}}",
                "shared_mounts_enable: true|{}",
                "flannel: false|{}",
                "tcp_address: 127.0.0.1|{}",
                "tcp_port: 4243|{}",
                "`tcp_address: 10.0.0.1, tls_cacert: A, tls_cert: B, tls_key: C`|{\"tcp\":{\"address\":\"10.0.0.1\",\"ca\":\"A\\n\",\"certificate\":\"B\\n\",\"key\":\"C\\n\",\"port\":4243}}"
            })
    void everyPropertyBesideTheFile(String property, String tree) {
        for (Notation notation : Notation.values()) {
            DaemonSettings settings = settings(notation, property);
            assertThat(Json.canonical(settings.toTree())).as("%s", notation).isEqualTo(tree);
            assertThat(DaemonSettings.fromTree(settings.toTree())).isEqualTo(settings);
        }
    }

    @Test
    void namesOf2014() {
        assertThat(settings(Notation.JOB_OF_2014, "dns_domains: [example.com]").config())
                .containsEntry("dns-search", List.of("example.com"));
        assertThat(warnings(Notation.JOB_OF_2014, "user: root, daemon: {logrotate: {size: 1M}}"))
                .contains("'user' has no effect", "'daemon.logrotate' has no effect");
    }

    private static String warnings(Notation notation, String property) {
        return manifest(notation, property, "").warnings().toString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tcp_address: 127.0.0.1|stays closed",
                "live_restore: false|stops all containers",
                "shared_mounts_enable: false|no effect",
            })
    void warned(String property, String words) {
        assertThat(warnings(Notation.BLOCK, property)).contains(words);
        assertThat(warnings(Notation.JOB, property)).contains(words);
    }

    @Test
    void whatTheReleaseIgnoredIsIgnoredWithAWarningAndRefusedInABlock() {
        assertThat(warnings(Notation.JOB, "debugg: true"))
                .contains("debugg", "did you mean 'debug'");
        assertThatThrownBy(() -> settings(Notation.BLOCK, "debugg: true"))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("did you mean 'debug'");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tcp_address: 0.0.0.0|without TLS",
                "tls_key: abc|needs 'tls_cacert'",
                "flannel: true|not supported",
                "log_level: quiet|no level",
                "mtu: 12|cannot work",
                "labels: [novalue]|not of the form",
                "dns_servers: [nobody]|no IP address",
                "registry_mirrors: ['https://user@m/path']|root of a registry",
                "default_ulimits: [nofile]|NAME=SOFT",
                "cidr_prefix: abc|beginning of an address",
                "store_dir: relative|absolute path",
                "store_dir: /var/vcap/store|has none",
                "registry_ca_cert: [{domain_name: ../etc, ca_cert: A}]|no name of a registry",
                "runtimes: {runc: {path: /x}}|the daemon's own",
                "log_level: ((level))|no level"
            })
    void refused(String property, String words) {
        assertThatThrownBy(() -> settings(Notation.BLOCK, property))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining(words)
                .hasMessageNotContaining("loud'")
                .hasMessageContaining(property.contains("((") ? "" : "docker");
    }

    @Test
    void secretsComeFromVariablesAndShowNowhere() {
        DaemonSettings settings = settings(Notation.BLOCK, "env: {http_proxy: ((proxy))}");
        assertThat(settings.toTree().toString()).contains("hush-hush");
        assertThat(settings.toString()).doesNotContain("hush");
        Map<String, Object> block =
                Map.of(
                        "docker",
                        Map.of("env", Map.of("http_proxy", "http://u:hush@p"), "tls_key", "K"));
        assertThat(ManifestDiff.between(Map.of(), block, true).toString())
                .doesNotContain("hush", "K\"")
                .contains("http_proxy");
    }

    @Test
    void aGroupSaysItOnce() {
        assertThatThrownBy(() ->
                        manifest(
                                Notation.BLOCK,
                                "debug: true",
                                "  jobs: [{name: docker, release: docker}]\n"))
                .hasMessageContaining("keep one of them");
    }
}
