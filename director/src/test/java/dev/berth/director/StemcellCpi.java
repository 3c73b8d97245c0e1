package dev.berth.director;

import dev.berth.cpi.Cpi;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A cloud that holds stemcells and disks only: all that the API touches by itself. */
final class StemcellCpi implements Cpi {
    /** What was created, by its image's text; and the names of all calls. */
    final List<String> images = Collections.synchronizedList(new ArrayList<>());

    final Set<DiskCid> refusing = ConcurrentHashMap.newKeySet();
    final List<String> calls = Collections.synchronizedList(new ArrayList<>());

    @Override
    public Info info() {
        return new Info(2, List.of("berth-tar"));
    }

    @Override
    public StemcellCid createStemcell(
            CpiContext context,
            Path image,
            Map<String, Object> cloudProperties,
            Map<String, String> tags) {
        calls.add("create_stemcell");
        if (!Files.exists(image.resolveSibling("stemcell.MF"))) {
            throw new AssertionError("no stemcell.MF beside the image");
        }
        try {
            images.add(Files.readString(image));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new StemcellCid("sc-" + images.size());
    }

    @Override
    public void deleteStemcell(CpiContext context, StemcellCid stemcell) {
        calls.add("delete_stemcell");
    }

    @Override
    public void deleteDisk(CpiContext context, DiskCid disk) {
        calls.add("delete_disk");
        if (refusing.contains(disk)) {
            throw new CpiException(CpiException.Type.CLOUD_ERROR, "disk " + disk + " is in use");
        }
    }

    @Override
    public VmCid createVm(
            CpiContext context,
            AgentId agent,
            StemcellCid stemcell,
            Map<String, Object> cloudProperties,
            Map<String, Object> networks,
            List<DiskCid> disks,
            Map<String, Object> env) {
        throw none();
    }

    @Override
    public void deleteVm(CpiContext context, VmCid vm) {
        throw none();
    }

    @Override
    public boolean hasVm(CpiContext context, VmCid vm) {
        throw none();
    }

    @Override
    public void rebootVm(CpiContext context, VmCid vm) {
        throw none();
    }

    @Override
    public void setVmMetadata(CpiContext context, VmCid vm, Map<String, String> metadata) {
        throw none();
    }

    @Override
    public Map<String, Object> calculateVmCloudProperties(
            CpiContext context, int ramMb, int cpus, int ephemeralDiskMb) {
        throw none();
    }

    @Override
    public DiskCid createDisk(
            CpiContext context,
            long sizeMb,
            Map<String, Object> cloudProperties,
            @Nullable VmCid vm) {
        throw none();
    }

    @Override
    public boolean hasDisk(CpiContext context, DiskCid disk) {
        throw none();
    }

    @Override
    public Object attachDisk(CpiContext context, VmCid vm, DiskCid disk) {
        throw none();
    }

    @Override
    public void detachDisk(CpiContext context, VmCid vm, DiskCid disk) {
        throw none();
    }

    @Override
    public void resizeDisk(CpiContext context, DiskCid disk, long sizeMb) {
        throw none();
    }

    @Override
    public void setDiskMetadata(CpiContext context, DiskCid disk, Map<String, String> metadata) {
        throw none();
    }

    @Override
    public List<DiskCid> getDisks(CpiContext context, VmCid vm) {
        throw none();
    }

    @Override
    public CreatedNetwork createNetwork(CpiContext context, Map<String, Object> subnet) {
        throw none();
    }

    @Override
    public void deleteNetwork(CpiContext context, String networkCid) {
        throw none();
    }

    private static CpiException none() {
        return new CpiException(CpiException.Type.NOT_IMPLEMENTED, "not in this cloud");
    }
}
