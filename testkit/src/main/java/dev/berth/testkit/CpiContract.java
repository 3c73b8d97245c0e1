package dev.berth.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.cpi.Cpi;
import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.Cpi.VmEvidence;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.cpi.CpiException.Type;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import dev.berth.model.SnapshotCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every CPI has to keep. A fake that passes it may stand in for a cloud in other tests. */
public abstract class CpiContract {
    private final String director = UUID.randomUUID().toString();
    private final String networkName = "berth-contract-" + director.substring(0, 8);
    private StemcellCid stemcell = new StemcellCid("none");

    /** The CPI under test; may be asked for several times. */
    protected abstract Cpi cpi();

    /** The image of a stemcell that boots into a process that stays. */
    protected abstract Path stemcellImage();

    /** The first three numbers of a range that is free to use. */
    protected abstract String rangePrefix();

    /** Ends a VM as a power failure would; it stays known to the cloud. */
    protected abstract void powerOff(VmCid vm);

    protected CpiContext context() {
        return context("intent-" + UUID.randomUUID());
    }

    private CpiContext context(String request) {
        return new CpiContext(director, request, 3, contextProperties());
    }

    /** Settings of the CPI that travel with each call. */
    protected Map<String, Object> contextProperties() {
        return Map.of();
    }

    @BeforeEach
    void stemcell() {
        stemcell =
                cpi().createStemcell(
                                context(),
                                stemcellImage(),
                                Json.of("name", "contract", "version", "1"),
                                Map.of("odd \"tag\"", "with $things\nin it"));
    }

    @AfterEach
    void nothingIsLeft() {
        List<CloudObject> left = cpi().inventory(context());
        for (CloudObject object : left) {
            if (object.kind() == CloudObject.Kind.VM) {
                cpi().deleteVm(context(), new VmCid(object.cid()));
            }
        }
        for (CloudObject object : left) {
            switch (object.kind()) {
                case VM -> {}
                case DISK -> cpi().deleteDisk(context(), new DiskCid(object.cid()));
                case SNAPSHOT -> cpi().deleteSnapshot(context(), new SnapshotCid(object.cid()));
                case NETWORK -> cpi().deleteNetwork(context(), object.cid());
            }
        }
        cpi().deleteStemcell(context(), stemcell);
        assertThat(cpi().inventory(context())).isEmpty();
    }

    private Map<String, Object> subnet() {
        return Json.of(
                "type",
                "manual",
                "range",
                rangePrefix() + ".0/24",
                "gateway",
                rangePrefix() + ".1",
                "cloud_properties",
                Json.of("name", networkName));
    }

    private Map<String, Object> networks(int host) {
        return Json.of(
                "default",
                Json.of(
                        "type",
                        "manual",
                        "ip",
                        rangePrefix() + "." + host,
                        "netmask",
                        "255.255.255.0",
                        "gateway",
                        rangePrefix() + ".1",
                        "dns",
                        List.of(),
                        "default",
                        List.of("dns", "gateway"),
                        "cloud_properties",
                        Json.of("name", networkName)));
    }

    private VmCid vm(CpiContext context, AgentId agent, int host) {
        return cpi().createVm(
                        context,
                        agent,
                        stemcell,
                        Json.of("memory", 256, "cpus", 1),
                        networks(host),
                        List.of(),
                        Json.of("bosh", Json.of("tags", Json.of("team", "shop"))));
    }

    private VmCid vm(int host) {
        cpi().createNetwork(context(), subnet());
        return vm(context(), new AgentId(UUID.randomUUID().toString()), host);
    }

    private DiskCid disk(long sizeMb) {
        return cpi().createDisk(context(), sizeMb, Map.of(), null);
    }

    private static void fails(Type type, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        CpiException.class,
                        e -> assertThat(e.type()).as(e.getMessage()).isEqualTo(type));
    }

    private CloudObject listed(String cid) {
        return cpi().inventory(context()).stream()
                .filter(object -> object.cid().equals(cid))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void itSpeaksAVersionThatCanBeUsed() {
        assertThat(cpi().info().apiVersion()).isGreaterThanOrEqualTo(2);
        assertThat(cpi().info().stemcellFormats()).isNotEmpty();
    }

    @Test
    void theSameStemcellTwiceIsOne() {
        StemcellCid again =
                cpi().createStemcell(
                                context(),
                                stemcellImage(),
                                Json.of("name", "contract", "version", "1"),
                                Map.of());
        assertThat(again).isEqualTo(stemcell);
        StemcellCid other =
                cpi().createStemcell(
                                context(),
                                stemcellImage(),
                                Json.of("name", "contract", "version", "2"),
                                Map.of());
        assertThat(other).isNotEqualTo(stemcell);
        cpi().deleteStemcell(context(), other);
        cpi().deleteStemcell(context(), other);
        assertThat(cpi().hasVm(context(), vm(10))).isTrue();
    }

    @Test
    void aStemcellInUseIsNotDeleted() {
        VmCid vm = vm(10);
        fails(Type.CLOUD_ERROR, () -> cpi().deleteStemcell(context(), stemcell));
        assertThat(cpi().vmEvidence(context(), vm)).isEqualTo(VmEvidence.RUNNING);
    }

    @Test
    void aVmLivesUntilItIsDeleted() {
        VmCid vm = vm(10);
        assertThat(cpi().hasVm(context(), vm)).isTrue();
        assertThat(cpi().vmEvidence(context(), vm)).isEqualTo(VmEvidence.RUNNING);
        cpi().deleteVm(context(), vm);
        assertThat(cpi().hasVm(context(), vm)).isFalse();
        assertThat(cpi().vmEvidence(context(), vm)).isEqualTo(VmEvidence.GONE);
        fails(Type.VM_NOT_FOUND, () -> cpi().deleteVm(context(), vm));
    }

    @Test
    void aVmThatNeverWasIsNotThere() {
        VmCid none = new VmCid("vm-never");
        DiskCid disk = disk(8);
        assertThat(cpi().hasVm(context(), none)).isFalse();
        assertThat(cpi().vmEvidence(context(), none)).isEqualTo(VmEvidence.GONE);
        fails(Type.VM_NOT_FOUND, () -> cpi().rebootVm(context(), none));
        fails(Type.VM_NOT_FOUND, () -> cpi().attachDisk(context(), none, disk));
        fails(Type.VM_NOT_FOUND, () -> cpi().setVmMetadata(context(), none, Map.of()));
        fails(Type.VM_NOT_FOUND, () -> cpi().getDisks(context(), none));
    }

    @Test
    void aVmIsFoundByTheIntentThatMadeItAndByItsAgent() {
        cpi().createNetwork(context(), subnet());
        AgentId agent = new AgentId(UUID.randomUUID().toString());
        VmCid vm = vm(context("intent-77"), agent, 10);
        CloudObject listed = listed(vm.value());
        assertThat(listed.kind()).isEqualTo(CloudObject.Kind.VM);
        assertThat(listed.requestId()).isEqualTo("intent-77");
        assertThat(listed.agent()).isEqualTo(agent);
    }

    @Test
    void aSecondVmOfOneAgentIsRefusedAndTheFirstUnharmed() {
        cpi().createNetwork(context(), subnet());
        AgentId agent = new AgentId(UUID.randomUUID().toString());
        VmCid vm = vm(context(), agent, 10);
        assertThatThrownBy(() -> vm(context(), agent, 11)).isInstanceOf(CpiException.class);
        assertThat(cpi().vmEvidence(context(), vm)).isEqualTo(VmEvidence.RUNNING);
    }

    @Test
    void aVmThatCannotBeMadeLeavesNothing() {
        cpi().createNetwork(context(), subnet());
        AgentId agent = new AgentId(UUID.randomUUID().toString());
        fails(
                Type.VM_CREATION_FAILED,
                () ->
                        cpi().createVm(
                                        context(),
                                        agent,
                                        new StemcellCid("sc-none"),
                                        Map.of(),
                                        networks(10),
                                        List.of(),
                                        Map.of()));
        assertThat(cpi().inventory(context()))
                .noneMatch(object -> object.kind() == CloudObject.Kind.VM);
        assertThat(cpi().hasVm(context(), vm(context(), agent, 10))).isTrue();
    }

    @Test
    void anAddressIsFreeWhenItsVmIsDeletedAndNotBefore() {
        VmCid first = vm(10);
        fails(Type.VM_CREATION_FAILED, () -> vm(10));
        cpi().deleteVm(context(), first);
        assertThat(cpi().hasVm(context(), vm(10))).isTrue();
    }

    @Test
    void aStoppedVmIsSeenAsStoppedAndStartsAgainWithItsDisks() {
        VmCid vm = vm(10);
        DiskCid disk = disk(8);
        cpi().attachDisk(context(), vm, disk);
        powerOff(vm);
        assertThat(cpi().vmEvidence(context(), vm)).isEqualTo(VmEvidence.STOPPED);
        assertThat(cpi().hasVm(context(), vm)).isTrue();
        cpi().rebootVm(context(), vm);
        assertThat(cpi().vmEvidence(context(), vm)).isEqualTo(VmEvidence.RUNNING);
        assertThat(cpi().getDisks(context(), vm)).containsExactly(disk);
        cpi().rebootVm(context(), vm);
        assertThat(cpi().vmEvidence(context(), vm)).isEqualTo(VmEvidence.RUNNING);
    }

    @Test
    void metadataIsKeptWhateverItHolds() {
        VmCid vm = vm(10);
        DiskCid disk = disk(8);
        Map<String, String> odd = Map.of("name", "db/1", "öd d", "\"{$x}\"\n", "empty", "");
        cpi().setVmMetadata(context(), vm, odd);
        cpi().setDiskMetadata(context(), disk, odd);
        assertThat(listed(vm.value()).metadata()).isEqualTo(odd);
        assertThat(listed(disk.value()).metadata()).isEqualTo(odd);
    }

    @Test
    void aDiskGoesThroughItsLife() {
        VmCid vm = vm(10);
        DiskCid disk = cpi().createDisk(context("intent-9"), 8, Map.of("type", "ssd"), vm);
        assertThat(cpi().hasDisk(context(), disk)).isTrue();
        assertThat(listed(disk.value()).requestId()).isEqualTo("intent-9");
        assertThat(listed(disk.value()).sizeMb()).isEqualTo(8);
        Object hint = cpi().attachDisk(context(), vm, disk);
        assertThat(hint).isInstanceOfAny(String.class, Map.class);
        assertThat(cpi().attachDisk(context(), vm, disk)).isEqualTo(hint);
        assertThat(cpi().getDisks(context(), vm)).containsExactly(disk);
        assertThat(listed(disk.value()).attachedTo()).isEqualTo(vm);
        fails(Type.CLOUD_ERROR, () -> cpi().deleteDisk(context(), disk));
        cpi().detachDisk(context(), vm, disk);
        fails(Type.DISK_NOT_ATTACHED, () -> cpi().detachDisk(context(), vm, disk));
        assertThat(cpi().getDisks(context(), vm)).isEmpty();
        assertThat(listed(disk.value()).attachedTo()).isNull();
        cpi().deleteDisk(context(), disk);
        assertThat(cpi().hasDisk(context(), disk)).isFalse();
        fails(Type.DISK_NOT_FOUND, () -> cpi().deleteDisk(context(), disk));
        fails(Type.DISK_NOT_FOUND, () -> cpi().attachDisk(context(), vm, disk));
        fails(Type.DISK_NOT_FOUND, () -> cpi().resizeDisk(context(), disk, 16));
    }

    @Test
    void aDiskHeldByOneVmIsRefusedToAnotherUntilTheFirstIsDeleted() {
        VmCid first = vm(10);
        VmCid second = vm(11);
        DiskCid disk = disk(8);
        cpi().attachDisk(context(), first, disk);
        fails(Type.CLOUD_ERROR, () -> cpi().attachDisk(context(), second, disk));
        powerOff(first);
        fails(Type.CLOUD_ERROR, () -> cpi().attachDisk(context(), second, disk));
        fails(Type.DISK_NOT_ATTACHED, () -> cpi().detachDisk(context(), second, disk));
        cpi().deleteVm(context(), first);
        assertThat(cpi().hasDisk(context(), disk)).isTrue();
        cpi().attachDisk(context(), second, disk);
        assertThat(cpi().getDisks(context(), second)).containsExactly(disk);
    }

    @Test
    void ofManyWhoWantADiskAtOnceOneGetsIt() throws Exception {
        List<VmCid> vms = List.of(vm(10), vm(11), vm(12));
        DiskCid disk = disk(8);
        var go = new CountDownLatch(1);
        int won = 0;
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Boolean>> tries =
                    vms.stream().map(vm -> threads.submit(wants(vm, disk, go))).toList();
            go.countDown();
            for (Future<Boolean> one : tries) {
                won += one.get() ? 1 : 0;
            }
        }
        assertThat(won).isEqualTo(1);
        assertThat(vms.stream().filter(vm -> cpi().getDisks(context(), vm).contains(disk)))
                .hasSize(1);
    }

    private Callable<Boolean> wants(VmCid vm, DiskCid disk, CountDownLatch go) {
        return () -> {
            go.await();
            try {
                cpi().attachDisk(context(), vm, disk);
                return true;
            } catch (CpiException e) {
                assertThat(e.type()).isEqualTo(Type.CLOUD_ERROR);
                return false;
            }
        };
    }

    @Test
    void twoDisksAreAttachedToOneVmAtOnce() {
        VmCid vm = vm(10);
        DiskCid old = disk(8);
        DiskCid next = disk(16);
        Object oldHint = cpi().attachDisk(context(), vm, old);
        Object nextHint = cpi().attachDisk(context(), vm, next);
        assertThat(oldHint).isNotEqualTo(nextHint);
        assertThat(cpi().getDisks(context(), vm)).containsExactlyInAnyOrder(old, next);
        cpi().detachDisk(context(), vm, old);
        assertThat(cpi().getDisks(context(), vm)).containsExactly(next);
    }

    @Test
    void aDiskGrowsAndNeverShrinks() {
        DiskCid disk = disk(8);
        cpi().resizeDisk(context(), disk, 16);
        cpi().resizeDisk(context(), disk, 16);
        fails(Type.NOT_SUPPORTED, () -> cpi().resizeDisk(context(), disk, 8));
        assertThat(listed(disk.value()).sizeMb()).isEqualTo(16);
        if (cpi().growsAttachedDisks()) {
            VmCid vm = vm(10);
            cpi().attachDisk(context(), vm, disk);
            cpi().resizeDisk(context(), disk, 24);
            assertThat(listed(disk.value()).sizeMb()).isEqualTo(24);
            assertThat(cpi().getDisks(context(), vm)).containsExactly(disk);
        }
    }

    @Test
    void aSnapshotOutlivesItsDiskAndBecomesOthers() {
        VmCid vm = vm(10);
        DiskCid disk = disk(8);
        cpi().attachDisk(context(), vm, disk);
        SnapshotCid taken =
                cpi().snapshotDisk(context("intent-12"), disk, Map.of("odd", "with $x\n"));
        SnapshotCid second = cpi().snapshotDisk(context(), disk, Map.of());
        assertThat(second).isNotEqualTo(taken);
        CloudObject listed = listed(taken.value());
        assertThat(listed.kind()).isEqualTo(CloudObject.Kind.SNAPSHOT);
        assertThat(listed.requestId()).isEqualTo("intent-12");
        assertThat(listed.sizeMb()).isEqualTo(8);
        assertThat(listed.metadata())
                .containsEntry("disk", disk.value())
                .containsEntry("odd", "with $x\n");
        cpi().detachDisk(context(), vm, disk);
        cpi().deleteDisk(context(), disk);
        DiskCid again = cpi().createDiskFromSnapshot(context(), taken, 16, Map.of(), vm);
        assertThat(listed(again.value()).sizeMb()).isEqualTo(16);
        fails(
                Type.NOT_SUPPORTED,
                () -> cpi().createDiskFromSnapshot(context(), taken, 4, Map.of(), null));
        cpi().deleteSnapshot(context(), taken);
        assertThat(cpi().hasDisk(context(), again)).isTrue();
        fails(Type.DISK_NOT_FOUND, () -> cpi().deleteSnapshot(context(), taken));
        fails(
                Type.DISK_NOT_FOUND,
                () -> cpi().createDiskFromSnapshot(context(), taken, 16, Map.of(), null));
        fails(Type.DISK_NOT_FOUND, () -> cpi().snapshotDisk(context(), disk, Map.of()));
    }

    @Test
    void anEqualNetworkIsAdoptedAndAnUnequalOneRefusedWithBothNamed() {
        Cpi.CreatedNetwork made = cpi().createNetwork(context(), subnet());
        assertThat(made.addressProperties()).containsEntry("range", rangePrefix() + ".0/24");
        assertThat(cpi().createNetwork(context(), subnet()).cid()).isEqualTo(made.cid());
        Map<String, Object> other = subnet();
        other.put("gateway", rangePrefix() + ".254");
        assertThatThrownBy(() -> cpi().createNetwork(context(), other))
                .hasMessageContaining(rangePrefix() + ".1")
                .hasMessageContaining(rangePrefix() + ".254");
    }

    @Test
    void theInventorySaysWhoIsOnANetwork() {
        VmCid vm = vm(10);
        String network = cpi().createNetwork(context(), subnet()).cid();
        assertThat(membersOf(network)).isEqualTo(vm + "=" + rangePrefix() + ".10");
        cpi().deleteVm(context(), vm);
        assertThat(membersOf(network)).isEmpty();
    }

    @Test
    void aRunningVmGetsAnotherAddressAndKeepsItOverAReboot() {
        VmCid vm = vm(10);
        String network = cpi().createNetwork(context(), subnet()).cid();
        VmCid other = vm(11);
        assertThatThrownBy(() -> cpi().configureNetworks(context(), vm, networks(11)))
                .isInstanceOf(CpiException.class);
        cpi().deleteVm(context(), other);
        cpi().configureNetworks(context(), vm, networks(12));
        assertThat(membersOf(network)).isEqualTo(vm + "=" + rangePrefix() + ".12");
        cpi().configureNetworks(context(), vm, networks(12));
        cpi().rebootVm(context(), vm);
        assertThat(membersOf(network)).isEqualTo(vm + "=" + rangePrefix() + ".12");
        assertThat(cpi().hasVm(context(), vm(10))).isTrue();
        VmCid none = new VmCid("vm-none");
        fails(Type.VM_NOT_FOUND, () -> cpi().configureNetworks(context(), none, networks(13)));
    }

    private String membersOf(String network) {
        return cpi().inventory(context()).stream()
                .filter(o -> o.kind() == Cpi.CloudObject.Kind.NETWORK && o.cid().equals(network))
                .map(o -> o.metadata().get("vms"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aNetworkWithVmsIsNotDeleted() {
        VmCid vm = vm(10);
        String network = cpi().createNetwork(context(), subnet()).cid();
        fails(Type.CLOUD_ERROR, () -> cpi().deleteNetwork(context(), network));
        cpi().deleteVm(context(), vm);
        cpi().deleteNetwork(context(), network);
        fails(Type.NETWORK_NOT_FOUND, () -> cpi().deleteNetwork(context(), network));
    }

    @Test
    void propertiesForResourcesAreTheSameEachTime() {
        Map<String, Object> once = cpi().calculateVmCloudProperties(context(), 1024, 2, 2048);
        assertThat(cpi().calculateVmCloudProperties(context(), 1024, 2, 2048)).isEqualTo(once);
    }

    @Test
    void anotherDirectorsThingsAreNotListed() {
        disk(8);
        var stranger = new CpiContext(UUID.randomUUID().toString(), "x", 3, contextProperties());
        assertThat(cpi().inventory(stranger)).isEmpty();
    }
}
