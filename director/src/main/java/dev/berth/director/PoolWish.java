package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.model.Network;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A pool of spare VMs as it should be, with all that the cloud config refers to looked up.
 *
 * @param az null: they serve every zone whose cloud properties are theirs
 * @param shape without networks: each has an address of its own
 */
record PoolWish(
        String name,
        int size,
        String vmType,
        @Nullable String az,
        Network.Manual network,
        Step.VmShape shape) {
    private static final String AZ = "az";
    private static final String VM_TYPE = "vm_type";

    /** What a spare VM of this pool with that address is made from. */
    Step.VmShape withNetworks(Map<String, Object> networks) {
        return new Step.VmShape(
                shape.cpi(),
                shape.stemcell(),
                shape.stemcellCid(),
                shape.stemcellApiVersion(),
                shape.cloudProperties(),
                shape.env(),
                networks);
    }

    /** As it is recorded. */
    Map<String, Object> tree(Step.VmShape made) {
        var tree = new LinkedHashMap<>(VmActs.shapeTree(made, false));
        tree.put(VM_TYPE, vmType);
        if (az != null) {
            tree.put(AZ, az);
        }
        return tree;
    }

    /** Whether it was made as one would be made now. */
    boolean fits(Rows.Spare spare) {
        return spare.pool().equals(name)
                && key(spare.shape())
                        .equals(key(tree(withNetworks(Map.of(network.name(), Map.of())))))
                && String.valueOf(spare.shape().get(AZ)).equals(String.valueOf(az))
                && vmType.equals(spare.shape().get(VM_TYPE));
    }

    /** Whether an instance whose VM is like that would take one of these. */
    boolean serves(Map<String, Object> vmShape, @Nullable String zone) {
        return key(vmShape).equals(key(tree(withNetworks(Map.of(network.name(), Map.of())))))
                && (az == null || az.equals(zone));
    }

    /** Whether the spare VM is what an instance in that zone needs, but for its address. */
    static boolean serves(Rows.Spare spare, Step.VmShape wanted, @Nullable String zone) {
        Object az = spare.shape().get(AZ);
        return key(spare.shape()).equals(key(VmActs.shapeTree(wanted, false)))
                && (az == null || az.equals(zone));
    }

    /** Equal texts for VMs that differ in nothing but their addresses. */
    private static String key(Map<String, Object> shape) {
        Object networks = shape.get("networks");
        return Json.canonical(
                Json.of(
                        "cpi",
                        shape.get("cpi"),
                        "stemcell",
                        shape.get("stemcell_cid"),
                        "cloud_properties",
                        shape.get("cloud_properties"),
                        "env",
                        shape.get("env"),
                        "networks",
                        networks instanceof Map<?, ?> map
                                ? new TreeSet<>(Json.asObject(map).keySet()).stream().toList()
                                : null));
    }
}
