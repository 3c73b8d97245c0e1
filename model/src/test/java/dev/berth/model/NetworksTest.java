package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class NetworksTest {
    private static Subnet subnet(String yaml) {
        String cloud = "networks: [{name: n, subnets: [" + yaml + "]}]";
        var config = CloudConfigs.parse(YamlDocument.parseConfig(cloud, "cloud"));
        return ((Network.Manual) config.networks().getFirst()).subnets().getFirst();
    }

    @Test
    void theLowestAddressThatNobodyElseMayHaveComesFirst() {
        Subnet subnet =
                subnet(
                        "{range: 10.0.0.0/28, gateway: 10.0.0.1, reserved: [10.0.0.2 - 10.0.0.4,"
                                + " 10.0.0.3], static: [10.0.0.6, 10.0.0.8/30]}");
        assertThat(subnet.candidates())
                .extracting(IpAddress::toString)
                .isEqualTo(List.of("10.0.0.5", "10.0.0.7", "10.0.0.12", "10.0.0.13", "10.0.0.14"));
        assertThat(subnet.firstFree(ip -> ip.toString().endsWith(".5")))
                .contains(IpAddress.parse("10.0.0.7"));
        assertThat(subnet.firstFree(ip -> true)).isEmpty();
        assertThat(subnet.netmask()).isEqualTo("255.255.255.240");
        assertThat(subnet.isRestricted(IpAddress.parse("10.0.0.15"))).isTrue();
    }

    @Test
    void sixthVersionAddressesWorkToo() {
        Subnet subnet = subnet("{range: 'FD00:0:0::/64', gateway: 'fd00::1'}");
        assertThat(subnet.firstFree(ip -> false)).map(IpAddress::toString).contains("fd00::2");
        assertThat(subnet.netmask()).isEqualTo("ffff:ffff:ffff:ffff::");
        assertThat(IpAddress.parse("2001:DB8:0:0:1:0:0:1").toString())
                .isEqualTo("2001:db8::1:0:0:1");
        assertThat(IpAddress.parse("::").toString()).isEqualTo("::");
        assertThat(IpAddress.parse("1:0:2:3:4:5:6:7").toString()).isEqualTo("1:0:2:3:4:5:6:7");
    }

    @Test
    void settingsAreWhatCpiAndAgentTake() {
        var network = (Network.Manual) Examples.cloud().network("default").orElseThrow();
        assertThat(network.settings(IpAddress.parse("10.245.0.21"), List.of("dns", "gateway")))
                .hasToString(
                        "{type=manual, ip=10.245.0.21, prefix=32, netmask=255.255.255.0,"
                                + " cloud_properties={}, default=[dns, gateway],"
                                + " gateway=10.245.0.1}");
        assertThat(network.subnetsFor("z3")).isEmpty();
        assertThat(network.subnetsFor("z1")).hasSize(1);
    }

    @Test
    void sectionsMayBeVariablesAndCloudPropertiesStayRaw() {
        var variables =
                Interpolation.absoluteOnly(name ->
                        Optional.of(
                                List.of(
                                        Map.of(
                                                "name",
                                                "t",
                                                "cloud_properties",
                                                Map.of("key", "((/later))")))));
        String text = Examples.CLOUD.replaceAll("vm_types:\n.*\n.*\n", "vm_types: ((/types))\n");
        assertThatThrownBy(() ->
                        CloudConfigs.parse(YamlDocument.parseConfig(text, "cloud"), variables))
                .hasMessageContaining("unknown vm type 'default'. Known vm types are: t");
        var config =
                CloudConfigs.parse(
                        YamlDocument.parseConfig(
                                text.replace("vm_type: default", "vm_type: t"), "cloud"),
                        variables);
        assertThat(config.vmType("t").orElseThrow().cloudProperties())
                .isEqualTo(Map.of("key", "((/later))"));
    }

    @Test
    void everyFaultOfACloudConfigIsTold() {
        String wrong =
                """
                azs: [{name: z1}, {name: z1}]
                vm_types: [{name: a}, {name: a, cloud_propertis: {}}]
                disk_types: [{name: d, disk_size: -1}]
                networks:
                - name: n
                  subnets:
                  - {range: 10.0.0.0/24, gateway: 10.0.1.1, static: [10.0.0.5], reserved: [10.0.0.1 - 10.0.0.9]}
                  - {range: 10.0.0.128/25, gateway: 10.0.0.129, az: z9, dns: [me]}
                  - {range: 10.0.0.0, gateway: 10.0.0.1}
                - {name: N, type: odd}
                compilation: {workers: 0, network: m, az: z2, vm_type: b}
                """;
        assertThatThrownBy(() -> CloudConfigs.parse(YamlDocument.parseConfig(wrong, "cloud")))
                .hasMessage(
                        """
                        azs[1] (line 1): Duplicate az name 'z1'
                        networks[0].subnets[0].gateway (line 7): Invalid gateway for network 'n': must be inside the range
                        networks[0].subnets[0].static[0] (line 7): Static IP '10.0.0.5' is in network 'n' reserved range
                        networks[0].subnets[1].dns[0] (line 8): Invalid DNS for network 'n': must be a single IP
                        networks[0].subnets[1].az (line 8): Network 'n' refers to an unknown availability zone 'z9' (did you mean 'z1'?)
                        networks[0].subnets[1].range (line 8): Network 'n' has overlapping subnets
                        networks[0].subnets[2].range (line 9): Invalid IP or CIDR format: 10.0.0.0 (such as 10.0.0.0/24)
                        networks[0].subnets (line 6): Subnets on network 'n' must all either specify availability zone or not
                        networks[1].name (line 10): Invalid network name 'N', canonical name already taken
                        networks[1].type (line 10): Invalid network type 'odd' (manual, dynamic or vip)
                        vm_types[1].cloud_propertis (line 2): Unknown key 'cloud_propertis' (did you mean 'cloud_properties'?)
                        vm_types[1] (line 2): Duplicate vm type name 'a'
                        disk_types[0].disk_size (line 3): Disk types 'd' references an invalid persistent disk size
                        compilation.workers (line 11): 'workers' value (0) should be greater than 1
                        compilation.network (line 11): Compilation config references an unknown network 'm'
                        compilation.az (line 11): Compilation config references unknown az 'z2'. Known azs are: [z1, z1]
                        compilation.vm_type (line 11): Compilation config references unknown vm type 'b'. Known vm types are: a, a\
                        """);
    }

    @Property(tries = 200)
    void candidatesAreExactlyTheAddressesThatAreDynamic(
            @ForAll @IntRange(min = 24, max = 30) int prefix,
            @ForAll @IntRange(min = 0, max = 255) int from,
            @ForAll @IntRange(min = 0, max = 255) int to,
            @ForAll @IntRange(min = 0, max = 255) int fixed) {
        IpRange range = IpRange.parse("10.9.8.0/" + prefix);
        IpAddress zero = IpAddress.parse("10.9.8.0");
        Subnet subnet =
                new Subnet(
                        range,
                        prefix,
                        zero.plus(1),
                        List.of(),
                        List.of(new IpRange(zero.plus(from), zero.plus(to))),
                        List.of(IpRange.of(zero.plus(fixed))),
                        List.of(),
                        java.util.Map.of());
        var expected = new ArrayList<IpAddress>();
        for (IpAddress ip : range.addresses(256)) {
            if (subnet.isDynamic(ip)) {
                expected.add(ip);
            }
        }
        assertThat(subnet.candidates()).containsExactlyElementsOf(expected);
        assertThat(new HashSet<>(expected)).hasSameSizeAs(expected);
    }

    @Property(tries = 300)
    void addressesReadBackAsTheyAreWritten(@ForAll byte[] bytes, @ForAll boolean v6) {
        BigInteger number = new BigInteger(1, bytes).mod(BigInteger.ONE.shiftLeft(v6 ? 128 : 32));
        // the JDK reads ::ffff:a.b.c.d as what it maps to
        if (v6 && number.shiftRight(32).equals(BigInteger.valueOf(0xffff))) {
            return;
        }
        var address = new IpAddress(v6, number);
        assertThat(IpAddress.parse(address.toString())).isEqualTo(address);
    }

    @Property
    void sharesAreRoundedDownAndNeverMoreThanAll(
            @ForAll @IntRange(min = 0, max = 100_000) int size,
            @ForAll @IntRange(min = 0, max = 1_000) int value,
            @ForAll boolean percent) {
        Share share = new Share(value, percent);
        assertThat(Share.parse(share.toString())).isEqualTo(share);
        int count = share.countOf(size);
        assertThat(count).isBetween(0, size);
        if (percent && value <= 100) {
            assertThat((long) count * 100).isBetween((long) value * size - 99, (long) value * size);
        }
        if (!percent) {
            assertThat(count).isEqualTo(Math.min(value, size));
        }
    }
}
