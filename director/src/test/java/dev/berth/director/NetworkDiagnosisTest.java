package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.Cpi.VmEvidence;
import dev.berth.director.Finding.Repair;
import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A VM that is not on its network, and a network that nobody asks for, are seen. */
class NetworkDiagnosisTest {
    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    private static final InstanceId ID = new InstanceId("6e0c7b52-0000-4000-8000-000000000001");
    private static final VmCid VM = new VmCid("vm-1");
    private static final AgentId AGENT = new AgentId("agent-1");

    private final List<CloudObject> cloud = new ArrayList<>();
    private final Map<VmCid, VmEvidence> evidence = new HashMap<>();
    private final Map<AgentId, Facts.Heard> agents = new HashMap<>();
    private String state = "started";
    private @Nullable Set<String> asked = Set.of("net-1");

    NetworkDiagnosisTest() {
        evidence.put(VM, VmEvidence.RUNNING);
        heard("10.0.0.5");
    }

    private void heard(String ip) {
        agents.put(
                AGENT,
                new Facts.Heard(Json.of("networks", Json.of("default", Json.of("ip", ip))), ""));
    }

    private void network(String cid, Map<String, String> metadata) {
        cloud.add(new CloudObject(CloudObject.Kind.NETWORK, cid, "", null, null, 0, metadata));
    }

    private List<Finding> findings() {
        Map<String, Object> network =
                Json.of("ip", "10.0.0.5", "cloud_properties", Json.of("name", "net-1"));
        Map<String, Object> shape = Json.of("networks", Json.of("default", network));
        return NetworkDiagnosis.of(
                new Facts(
                        List.of(),
                        List.of(
                                new Rows.Instance(
                                        ID, "shop", "db", 0, "z1", state, true, false, true,
                                        Map.of(), NOW)),
                        List.of(new Rows.Vm(AGENT, VM, ID, "", shape, true, false, NOW)),
                        List.of(),
                        List.of(),
                        List.of(),
                        cloud,
                        evidence,
                        agents,
                        asked));
    }

    private Finding only(String kind) {
        assertThat(findings()).extracting(Finding::kind).containsExactly(kind);
        return findings().getFirst();
    }

    @Test
    void whatAgreesIsNoFinding() {
        network("net-1", Map.of("vms", "vm-0=10.0.0.4,vm-1=10.0.0.5"));
        assertThat(findings()).isEmpty();
    }

    @Test
    void aCloudThatDoesNotSayWhoIsOnANetworkIsBelieved() {
        network("net-1", Map.of());
        assertThat(findings()).isEmpty();
        cloud.clear();
        assertThat(findings()).isEmpty();
    }

    /** As with a silent agent: what runs in it may still be writing. */
    @Test
    void aVmThatWasCutOffIsReplacedOnlyWhenItIsNamed() {
        network("net-1", Map.of("vms", "vm-0=10.0.0.4"));
        Finding cut = only("vm-network");
        assertThat(cut.subject()).isEqualTo("vm-1");
        assertThat(cut.repair()).isEqualTo(new Repair.Fix(ID, true));
        state = "stopped";
        assertThat(only("vm-network").repair()).isInstanceOf(Repair.ByHand.class);
        evidence.put(VM, VmEvidence.STOPPED);
        assertThat(findings()).as("one that is off is on no network").isEmpty();
    }

    @Test
    void anotherAddressIsSeenWhoeverHasIt() {
        network("net-1", Map.of("vms", "vm-1=10.0.0.9"));
        assertThat(only("vm-network").found()).contains("10.0.0.9");
        cloud.clear();
        network("net-1", Map.of("vms", "vm-1=10.0.0.5"));
        heard("10.0.0.7");
        assertThat(only("agent-network").found()).contains("10.0.0.7");
    }

    @Test
    void aNetworkThatIsGoneIsToldOf() {
        network("net-2", Map.of("vms", "vm-7=10.1.0.9"));
        assertThat(only("network-missing").subject()).isEqualTo("net-1");
    }

    @Test
    void anEmptyNetworkThatNobodyAsksForMayBeDeleted() {
        network("net-1", Map.of("vms", "vm-1=10.0.0.5"));
        network("net-2", Map.of("vms", ""));
        Finding stranger = only("network-unrecorded");
        assertThat(stranger.repair()).isEqualTo(new Repair.DeleteNetwork("net-2"));
        assertThat(stranger.repair().needsYes()).isTrue();
        asked = Set.of("net-2");
        assertThat(findings()).isEmpty();
        asked = null;
        assertThat(findings()).as("of one deployment nothing is known of networks").isEmpty();
    }
}
