package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.CloudConfig.VmPool;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * {@code vm_pools} of a cloud config: what they refer to is there, or all that is wrong is told.
 */
class VmPoolsTest {
    private static final String REST =
            """
            azs: [{name: z1}]
            vm_types: [{name: small, cloud_properties: {cpus: 1}}]
            vm_extensions: [{name: ports, cloud_properties: {open: 80}}]
            networks:
            - name: default
              subnets: [{range: 10.0.0.0/24, gateway: 10.0.0.1, azs: [z1]}]
            """;

    private static CloudConfig read(String pools) {
        return CloudConfigs.parse(YamlDocument.parse(REST + pools));
    }

    @Test
    void aPoolSaysWhatItsVmsAreLike() {
        CloudConfig config =
                read(
                        """
                        vm_pools:
                        - name: db
                          size: 2
                          vm_type: small
                          vm_extensions: [ports]
                          az: z1
                          stemcell: {os: debian, version: "1.latest"}
                          env: {persistent_disk_fs: xfs}
                        """);
        assertThat(config.vmPools())
                .containsExactly(
                        new VmPool(
                                "db",
                                2,
                                "small",
                                List.of("ports"),
                                new StemcellRef("", "debian", null, "1.latest"),
                                "default",
                                "z1",
                                Map.of("persistent_disk_fs", "xfs")));
        assertThat(config.vmCloudProperties(config.vmPools().getFirst()))
                .isEqualTo(Map.of("cpus", 1L, "open", 80L));
    }

    @Test
    void withoutPoolsThereAreNone() {
        assertThat(read("").vmPools()).isEmpty();
    }

    @Test
    void allThatIsWrongIsToldAtOnce() {
        assertThatThrownBy(() ->
                        read(
                                """
                                vm_pools:
                                - {name: a, size: 101, vm_type: huge, stemcell: {}, network: none}
                                - {name: a, size: -1, vm_type: small, stemcell: {os: debian}, az: z9}
                                - {name: "a b", vm_type: small, stemcell: {os: debian}, sise: 1}
                                """))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("size of a vm pool is 101")
                .hasMessageContaining("unknown vm type 'huge'")
                .hasMessageContaining("says no stemcell")
                .hasMessageContaining("unknown network 'none'")
                .hasMessageContaining("Duplicate vm pool name 'a'")
                .hasMessageContaining("size of a vm pool is -1")
                .hasMessageContaining("unknown az 'z9'")
                .hasMessageContaining("'a b' is no name")
                .hasMessageContaining("'size' was not specified")
                .hasMessageContaining("sise");
    }
}
