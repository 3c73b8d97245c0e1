package dev.berth.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.cpi.Cpi;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The fake keeps the contract, and can be broken on purpose. */
class FakeCpiTest extends CpiContract {
    private final FakeCpi fake = new FakeCpi();

    @Override
    protected Cpi cpi() {
        return fake;
    }

    @Override
    protected Path stemcellImage() {
        return Path.of("image");
    }

    @Override
    protected String rangePrefix() {
        return "10.1.2";
    }

    @Override
    protected void powerOff(VmCid vm) {
        fake.cloud().stopVm(vm);
    }

    private VmCid simpleVm(FakeCpi cpi) {
        StemcellCid stemcell = cpi.createStemcell(context(), Path.of("image"), Map.of(), Map.of());
        return cpi.createVm(
                context(), new AgentId("a"), stemcell, Map.of(), Map.of(), List.of(), Map.of());
    }

    @Test
    void aFaultBeforeTheEffectLeavesTheCloudAsItWasAndOneAfterItDoesNot() {
        var cpi = new FakeCpi();
        var lost = new CpiException(CpiException.Type.UNKNOWN, "no answer");
        cpi.hook(
                new FakeCpi.Hook() {
                    @Override
                    public void before(FakeCpi.Call call) {
                        if (call.context().requestId().equals("early")) {
                            throw lost;
                        }
                    }

                    @Override
                    public void after(FakeCpi.Call call) {
                        if (call.context().requestId().equals("late")) {
                            throw lost;
                        }
                    }
                });
        var early = new CpiContext("d", "early", null, Map.of());
        var late = new CpiContext("d", "late", null, Map.of());
        assertThatThrownBy(() -> cpi.createDisk(early, 8, Map.of(), null)).isSameAs(lost);
        assertThat(cpi.cloud().disks()).isEmpty();
        assertThatThrownBy(() -> cpi.createDisk(late, 8, Map.of(), null)).isSameAs(lost);
        assertThat(cpi.cloud().disks())
                .extracting(FakeCloud.Disk::requestId)
                .containsExactly("late");
        assertThat(cpi.calls())
                .extracting(FakeCpi.Call::method)
                .containsExactly("create_disk", "create_disk");
    }

    @Test
    void theInsideOfAVmHearsOfPowerAndDisks() {
        var cpi = new FakeCpi();
        var heard = new ArrayList<String>();
        cpi.cloud()
                .listen(
                        new FakeCloud.Listener() {
                            @Override
                            public void vmStarted(FakeCloud.Vm vm) {
                                heard.add("started " + vm.boots());
                            }

                            @Override
                            public void vmEnded(FakeCloud.Vm vm) {
                                heard.add("ended");
                            }

                            @Override
                            public void diskShown(FakeCloud.Vm vm, FakeCloud.Disk disk) {
                                heard.add("shown");
                            }

                            @Override
                            public void diskHidden(FakeCloud.Vm vm, FakeCloud.Disk disk) {
                                heard.add("hidden");
                            }
                        });
        VmCid vm = simpleVm(cpi);
        DiskCid disk = cpi.createDisk(context(), 8, Map.of(), null);
        cpi.attachDisk(context(), vm, disk);
        cpi.attachDisk(context(), vm, disk);
        cpi.detachDisk(context(), vm, disk);
        cpi.rebootVm(context(), vm);
        cpi.cloud().loseVm(vm);
        assertThat(heard)
                .containsExactly("started 1", "shown", "hidden", "ended", "started 2", "ended");
    }

    @Test
    void aMountedDiskIsNotDetachedAndNeverMountedTwice() {
        var cpi = new FakeCpi();
        VmCid vm = simpleVm(cpi);
        DiskCid disk = cpi.createDisk(context(), 8, Map.of(), null);
        assertThatThrownBy(() -> cpi.cloud().mount(vm, disk)).hasMessageContaining("R1");
        cpi.attachDisk(context(), vm, disk);
        cpi.cloud().mount(vm, disk);
        assertThatThrownBy(() -> cpi.detachDisk(context(), vm, disk))
                .hasMessageContaining("mounted");
        cpi.cloud().stopVm(vm);
        cpi.detachDisk(context(), vm, disk);
    }

    @Test
    void aCarelessCloudDoesWhatAGoodOneRefuses() {
        var cpi = new FakeCpi();
        VmCid vm = simpleVm(cpi);
        VmCid second =
                cpi.createVm(
                        context(),
                        new AgentId("b"),
                        cpi.cloud().vm(vm).orElseThrow().stemcell(),
                        Map.of(),
                        Map.of(),
                        List.of(),
                        Map.of());
        DiskCid disk = cpi.createDisk(context(), 8, Map.of(), null);
        cpi.attachDisk(context(), vm, disk);
        cpi.cloud().mount(vm, disk);
        assertThatThrownBy(() -> cpi.attachDisk(context(), second, disk))
                .hasMessageContaining("is attached to " + vm);
        cpi.cloud().beCareless();
        cpi.attachDisk(context(), second, disk);
        cpi.detachDisk(context(), second, disk);
        cpi.deleteDisk(context(), disk);
    }

    @Test
    void aCloudMayGrowOnlyWhatNoVmHolds() {
        var cpi = new FakeCpi();
        VmCid vm = simpleVm(cpi);
        DiskCid disk = cpi.createDisk(context(), 8, Map.of(), null);
        cpi.attachDisk(context(), vm, disk);
        cpi.cloud().growOnlyDetachedDisks();
        assertThat(cpi.growsAttachedDisks()).isFalse();
        assertThatThrownBy(() -> cpi.resizeDisk(context(), disk, 16))
                .hasMessageContaining("cannot grow while attached");
        cpi.cloud().loseVm(vm);
        cpi.resizeDisk(context(), disk, 16);
    }
}
