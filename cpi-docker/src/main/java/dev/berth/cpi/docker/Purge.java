package dev.berth.cpi.docker;

import dev.berth.cpi.Cpi;
import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.model.DiskCid;
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
    private final Cpi cpi;
    private final CpiContext context;
    private final PrintStream out;
    private boolean whole = true;

    Purge(Cpi cpi, String director, PrintStream out) {
        this.cpi = cpi;
        this.context = new CpiContext(director, "purge", null, Map.of());
        this.out = out;
    }

    /** True when nothing is left. */
    boolean run() {
        List<CloudObject> all = cpi.inventory(context);
        each(all, CloudObject.Kind.VM, "VM", cid -> cpi.deleteVm(context, new VmCid(cid)));
        each(all, CloudObject.Kind.DISK, "disk", cid -> cpi.deleteDisk(context, new DiskCid(cid)));
        each(all, CloudObject.Kind.NETWORK, "network", cid -> cpi.deleteNetwork(context, cid));
        return whole;
    }

    private interface Deletion {
        void delete(String cid);
    }

    private void each(
            List<CloudObject> all, CloudObject.Kind kind, String name, Deletion deletion) {
        for (CloudObject object : all) {
            if (object.kind() == kind) {
                try {
                    deletion.delete(object.cid());
                    out.println("  deleted " + name + " " + object.cid());
                } catch (CpiException e) {
                    whole = false;
                    out.println("  " + name + " " + object.cid() + " is left: " + e.getMessage());
                }
            }
        }
    }
}
