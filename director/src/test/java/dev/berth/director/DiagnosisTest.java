package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.Cpi.VmEvidence;
import dev.berth.director.Finding.Repair;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each difference is named, with the repair that can lose nothing; and what agrees is not. */
class DiagnosisTest {
    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    private static final InstanceId ID = new InstanceId("6e0c7b52-0000-4000-8000-000000000001");
    private static final VmCid VM = new VmCid("vm-1");
    private static final VmCid OTHER = new VmCid("vm-2");
    private static final AgentId AGENT = new AgentId("agent-1");
    private static final DiskCid DISK = new DiskCid("disk-1");

    private final List<Rows.Instance> instances = new ArrayList<>();
    private final List<Rows.Vm> vms = new ArrayList<>();
    private final List<Rows.Disk> disks = new ArrayList<>();
    private final List<Rows.Ip> ips = new ArrayList<>();
    private final List<Rows.Intent> intents = new ArrayList<>();
    private final List<CloudObject> cloud = new ArrayList<>();
    private final Map<VmCid, VmEvidence> evidence = new HashMap<>();
    private final Map<AgentId, Facts.Heard> agents = new HashMap<>();

    DiagnosisTest() {
        instances.add(instance("started"));
        vms.add(vm(VM, AGENT, true));
        disks.add(disk(DISK, ID, VM));
        ips.add(new Rows.Ip("10.0.0.5", "default", ID, false));
        Map<String, String> labels = Diagnosis.metadata(instances.getFirst());
        labels.putAll(Diagnosis.places("z1", Map.of("default", "10.0.0.5")));
        cloud.add(cloudVm(VM, AGENT, labels));
        cloud.add(cloudDisk(DISK, VM, 1024));
        evidence.put(VM, VmEvidence.RUNNING);
        agents.put(AGENT, heard("running", List.of("disk-1")));
    }

    private Map<String, String> labelsWithout(String key) {
        var labels = new HashMap<>(cloud.getFirst().metadata());
        labels.remove(key);
        return labels;
    }

    private static Rows.Instance instance(String state) {
        return new Rows.Instance(
                ID, "shop", "db", 0, "z1", state, true, false, true, Map.of(), NOW);
    }

    private static Rows.Vm vm(VmCid cid, AgentId agent, boolean active) {
        Map<String, Object> networks = Json.of("default", Json.of("ip", "10.0.0.5"));
        return new Rows.Vm(agent, cid, ID, "", Json.of("networks", networks), active, false, NOW);
    }

    private static Rows.Disk disk(
            DiskCid cid, @Nullable InstanceId instance, @Nullable VmCid holder) {
        return new Rows.Disk(
                cid,
                instance,
                holder,
                1024,
                Map.of(),
                "",
                instance != null,
                instance == null ? NOW : null,
                "shop",
                "db/" + ID,
                "z1",
                "");
    }

    private static CloudObject cloudVm(VmCid cid, AgentId agent, Map<String, String> metadata) {
        return new CloudObject(
                CloudObject.Kind.VM, cid.value(), "r-" + cid, agent, null, 0, metadata);
    }

    private static CloudObject cloudDisk(DiskCid cid, @Nullable VmCid holder, long size) {
        return new CloudObject(
                CloudObject.Kind.DISK, cid.value(), "r-" + cid, null, holder, size, Map.of());
    }

    private static Facts.Heard heard(String state, List<String> disks) {
        return new Facts.Heard(Json.of("id", ID.value(), "job_state", state, "disks", disks), "");
    }

    private List<Finding> findings() {
        return Diagnosis.of(
                new Facts(
                        List.of(),
                        instances,
                        vms,
                        disks,
                        ips,
                        intents,
                        cloud,
                        evidence,
                        agents,
                        java.util.Set.of()));
    }

    private Finding only(String kind) {
        List<Finding> all = findings();
        assertThat(all).extracting(Finding::kind).containsExactly(kind);
        return all.getFirst();
    }

    @Test
    void whatAgreesIsNoFinding() {
        assertThat(findings()).isEmpty();
    }

    @Test
    void aVmThatIsGoneIsMadeAnew() {
        cloud.removeFirst();
        cloud.set(0, cloudDisk(DISK, null, 1024));
        evidence.put(VM, VmEvidence.GONE);
        agents.clear();
        assertThat(findings())
                .extracting(Finding::kind)
                .containsExactly("disk-attachment", "vm-missing");
        assertThat(findings())
                .allSatisfy(f -> assertThat(f.repair()).isEqualTo(new Repair.Fix(ID, false)));
    }

    @Test
    void aVmOfAnIgnoredInstanceIsLeftToThePerson() {
        instances.set(0, instances.getFirst().ignored(true));
        evidence.put(VM, VmEvidence.STOPPED);
        assertThat(only("vm-off").repair()).isInstanceOf(Repair.ByHand.class);
    }

    /** It may be alive, and people may be using it. */
    @Test
    void aSilentAgentsVmIsReplacedOnlyWhenItIsNamed() {
        agents.put(AGENT, new Facts.Heard(null, "no answer"));
        assertThat(only("agent-silent").repair().needsYes()).isTrue();
    }

    @Test
    void anAgentThatStandsForAnotherInstanceIsNotTouched() {
        agents.put(
                AGENT,
                new Facts.Heard(
                        Json.of("id", "another", "name", "web", "job_state", "running"), ""));
        assertThat(only("agent-identity").repair()).isInstanceOf(Repair.ByHand.class);
    }

    @Test
    void aDiskThatIsNotMountedIsMountedByTheUsualRepair() {
        agents.put(AGENT, heard("running", List.of()));
        assertThat(only("disk-unmounted").repair()).isEqualTo(new Repair.Fix(ID, false));
    }

    @Test
    void aVmThatOnlyTheCloudKnowsIsDeletedWhenItHasNoDisk() {
        cloud.add(cloudVm(OTHER, new AgentId("x"), Map.of()));
        assertThat(only("vm-unrecorded").repair()).isEqualTo(new Repair.DeleteVm(OTHER));
    }

    @Test
    void aVmThatOnlyTheCloudKnowsAndThatHasADiskIsLeftAlone() {
        cloud.add(cloudVm(OTHER, new AgentId("x"), Map.of()));
        cloud.add(cloudDisk(new DiskCid("d2"), OTHER, 10));
        assertThat(findings())
                .extracting(Finding::kind)
                .containsExactly("disk-unrecorded", "vm-unrecorded");
        assertThat(findings().get(1).repair()).isInstanceOf(Repair.ByHand.class);
    }

    @Test
    void aDiskThatOnlyTheCloudKnowsBecomesAnOrphan() {
        cloud.add(cloudDisk(new DiskCid("d2"), null, 10));
        assertThat(only("disk-unrecorded").repair())
                .isEqualTo(new Repair.AdoptDisk(new DiskCid("d2")));
    }

    /** What a task that runs now makes is no stranger. */
    @Test
    void whatIsUnderWayIsLeftAlone() {
        cloud.add(cloudVm(OTHER, new AgentId("new"), Map.of()));
        intents.add(
                new Rows.Intent(
                        new IntentId("i"),
                        1,
                        ID,
                        "create vm",
                        Json.of("agent", "new"),
                        NOW,
                        null,
                        null));
        assertThat(findings()).isEmpty();
    }

    /** The data is gone with it: nobody but a person says that it is to be forgotten. */
    @Test
    void aDiskInUseThatIsGoneIsForgottenOnlyWhenItIsNamed() {
        cloud.removeLast();
        assertThat(only("disk-missing").repair()).isEqualTo(new Repair.ForgetDisk(DISK, true));
    }

    @Test
    void anOrphanThatIsGoneIsForgotten() {
        disks.add(disk(new DiskCid("old"), null, null));
        assertThat(only("disk-missing").repair())
                .isEqualTo(new Repair.ForgetDisk(new DiskCid("old"), false));
    }

    /** Rule R1: in doubt a disk is held. */
    @Test
    void aDiskThatTheCloudGivesAnotherHolderIsRecordedAsHeld() {
        cloud.add(cloudVm(OTHER, new AgentId("x"), Map.of()));
        cloud.set(1, cloudDisk(DISK, OTHER, 1024));
        assertThat(findings())
                .filteredOn(f -> f.kind().equals("disk-attachment"))
                .extracting(Finding::repair)
                .containsExactly(new Repair.RecordHolder(DISK, OTHER));
    }

    @Test
    void aDiskThatOnlyTheRecordAttachesIsAttachedAgain() {
        cloud.set(1, cloudDisk(DISK, null, 1024));
        assertThat(only("disk-attachment").repair()).isEqualTo(new Repair.Fix(ID, false));
    }

    @Test
    void anAddressInUseIsReserved() {
        ips.clear();
        cloud.set(0, cloudVm(VM, AGENT, labelsWithout("addresses")));
        assertThat(only("address-unreserved").repair())
                .isEqualTo(
                        new Repair.ReserveAddress(new Rows.Ip("10.0.0.5", "default", ID, false)));
    }

    @Test
    void anAddressOfAnotherIsForAPerson() {
        ips.set(0, new Rows.Ip("10.0.0.5", "default", new InstanceId("z"), false));
        cloud.set(0, cloudVm(VM, AGENT, labelsWithout("addresses")));
        assertThat(only("address-unreserved").repair()).isInstanceOf(Repair.ByHand.class);
    }

    @Test
    void whatTheCloudDoesNotKnowOfAVmIsToldToIt() {
        cloud.set(0, cloudVm(VM, AGENT, Map.of("deployment", "shop", "owner", "me")));
        Finding finding = only("vm-metadata");
        assertThat(finding.found()).contains("addresses, az, id, index, job");
        assertThat(finding.repair())
                .isInstanceOfSatisfying(
                        Repair.SetMetadata.class,
                        r ->
                                assertThat(r.metadata())
                                        .containsEntry("owner", "me")
                                        .containsEntry("id", ID.value()));
    }

    /**
     * Whatever is broken, no repair that runs unasked deletes what has a disk, forgets a disk of an
     * instance, or takes a disk for free that a VM of the cloud has.
     */
    @Test
    void noRepairThatRunsUnaskedCanLoseData() {
        for (long seed = 0; seed < 3000; seed++) {
            var random = new Random(seed);
            var test = new DiagnosisTest();
            test.breakIt(random);
            for (Finding finding : test.findings()) {
                assertThat(test.isSafe(finding.repair()) || finding.repair().needsYes())
                        .as("seed %d: %s", seed, finding)
                        .isTrue();
            }
            assertThat(test.findings()).isEqualTo(test.findings());
        }
    }

    private void breakIt(Random random) {
        for (int i = 0; i < 1 + random.nextInt(5); i++) {
            VmCid vm = random.nextBoolean() ? VM : OTHER;
            var disk = new DiskCid("disk-" + (1 + random.nextInt(3)));
            switch (random.nextInt(10)) {
                case 0 -> cloud.removeIf(o -> o.cid().equals(vm.value()));
                case 1 -> cloud.removeIf(o -> o.cid().equals(disk.value()));
                case 2 -> {
                    cloud.removeIf(o -> o.cid().equals(OTHER.value()));
                    cloud.add(cloudVm(OTHER, new AgentId("agent-2"), Map.of()));
                }
                case 3, 4 -> {
                    cloud.removeIf(o -> o.cid().equals(disk.value()));
                    cloud.add(cloudDisk(disk, random.nextInt(3) == 0 ? null : vm, 1024));
                }
                case 5 -> evidence.put(VM, VmEvidence.values()[random.nextInt(4)]);
                case 6 -> agents.put(AGENT, new Facts.Heard(null, "silent"));
                case 7 -> {
                    disks.removeIf(d -> d.cid().equals(disk));
                    boolean orphan = random.nextBoolean();
                    disks.add(disk(disk, orphan ? null : ID, random.nextBoolean() ? vm : null));
                }
                case 8 -> vms.add(vm(OTHER, new AgentId("agent-2"), false));
                default -> instances.set(0, instance(random.nextBoolean() ? "stopped" : "started"));
            }
        }
    }

    private boolean isSafe(Repair repair) {
        return switch (repair) {
            case Repair.DeleteVm r ->
                    cloud.stream()
                                    .noneMatch(o ->
                                            o.kind() == CloudObject.Kind.DISK
                                                    && r.vm().equals(o.attachedTo()))
                            && vms.stream().noneMatch(v -> v.cid().equals(r.vm()) && v.active());
            case Repair.ForgetDisk r ->
                    cloud.stream().noneMatch(o -> o.cid().equals(r.disk().value()))
                            && disks.stream()
                                    .noneMatch(
                                            d -> d.cid().equals(r.disk()) && d.instance() != null);
            case Repair.RecordHolder r ->
                    r.vm() != null
                            || cloud.stream()
                                    .filter(o -> o.cid().equals(r.disk().value()))
                                    .noneMatch(o ->
                                            o.attachedTo() != null
                                                    && cloud.stream()
                                                            .anyMatch(v ->
                                                                    v.cid()
                                                                            .equals(
                                                                                    o.attachedTo()
                                                                                            .value())));
            case Repair.DeleteNetwork r -> r.needsYes();
            case Repair.ForgetVm r -> evidence.get(r.vm().cid()) == VmEvidence.GONE;
            case Repair.Fix r -> !instances.getFirst().ignored();
            case Repair.AdoptDisk r -> disks.stream().noneMatch(d -> d.cid().equals(r.disk()));
            case Repair.ByHand r -> true;
            case Repair.KeepRecord r -> true;
            case Repair.ReserveAddress r -> true;
            case Repair.SetMetadata r -> true;
        };
    }
}
