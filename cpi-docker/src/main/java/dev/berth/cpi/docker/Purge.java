package dev.berth.cpi.docker;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.Cpi.CloudObject.Kind;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.SnapshotCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;

/**
 * Deletes everything one director made on this engine, disks and their data included: for {@code
 * berth down --purge}, a person's explicit command. What is in the way is told, and the rest is
 * deleted all the same.
 */
final class Purge {
    private final DockerCpi cpi;
    private final Engine engine;
    private final String director;
    private final CpiContext context;
    private final PrintStream out;
    private boolean whole = true;

    Purge(DockerCpi cpi, Engine engine, String director, PrintStream out) {
        this.cpi = cpi;
        this.engine = engine;
        this.director = director;
        this.context = new CpiContext(director, "purge", null, Map.of());
        this.out = out;
    }

    /** True when nothing is left. */
    boolean run() {
        List<CloudObject> all = cpi.inventory(context);
        cpi.sweep();
        each(cids(all, Kind.VM), "VM", cid -> cpi.deleteVm(context, new VmCid(cid)));
        each(
                cids(all, Kind.SNAPSHOT),
                "snapshot",
                cid -> cpi.deleteSnapshot(context, new SnapshotCid(cid)));
        each(cids(all, Kind.DISK), "disk", cid -> cpi.deleteDisk(context, new DiskCid(cid)));
        each(cids(all, Kind.NETWORK), "network", cid -> cpi.deleteNetwork(context, cid));
        each(
                cpi.stemcells(context).stream().map(StemcellCid::value).toList(),
                "stemcell",
                cid -> cpi.deleteStemcell(context, new StemcellCid(cid)));
        images();
        return whole;
    }

    /** What was built here for containers: copies are in the registry, which goes as well. */
    private void images() {
        for (Map<String, Object> tree : engine.listImages()) {
            Fields image = Fields.of(tree, "image");
            if (!image.object("Labels").string("berth.director", "").equals(director)) {
                continue;
            }
            List<String> names =
                    image.strings("RepoTags").stream()
                            .filter(t -> !t.startsWith("<none>"))
                            .toList();
            for (String tag : names.isEmpty() ? List.of(image.string("Id")) : names) {
                try {
                    engine.removeImage(tag, false);
                    out.println("  deleted image " + tag);
                } catch (EngineException e) {
                    whole = false;
                    out.println("  image " + tag + " is left: " + e.getMessage());
                }
            }
        }
    }

    private interface Deletion {
        void delete(String cid);
    }

    private static List<String> cids(List<CloudObject> all, Kind kind) {
        return all.stream().filter(o -> o.kind() == kind).map(CloudObject::cid).toList();
    }

    private void each(List<String> cids, String name, Deletion deletion) {
        for (String cid : cids) {
            try {
                deletion.delete(cid);
                out.println("  deleted " + name + " " + cid);
            } catch (CpiException e) {
                whole = false;
                out.println("  " + name + " " + cid + " is left: " + e.getMessage());
            }
        }
    }
}
