package dev.berth.cpi;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The context of one CPI call.
 *
 * @param directorUuid for tagging what is made
 * @param requestId the intent on whose behalf the call is made; a CPI that can labels what it makes
 *     with it (rule R4)
 * @param stemcellApiVersion of the VM concerned; null when the caller does not know
 * @param properties of the CPI config entry; may hold secrets
 */
public record CpiContext(
        String directorUuid,
        String requestId,
        @Nullable Integer stemcellApiVersion,
        Map<String, Object> properties) {
    public Map<String, Object> toTree() {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("director_uuid", directorUuid);
        tree.put("request_id", requestId);
        if (stemcellApiVersion != null) {
            tree.put("vm", Json.of("stemcell", Json.of("api_version", stemcellApiVersion)));
        }
        tree.putAll(properties);
        return tree;
    }

    /**
     * The reverse of {@link #toTree}: what is not the contract's own is a property. A caller may
     * leave out all of it.
     */
    public static CpiContext fromTree(Map<String, Object> tree) {
        Fields f = Fields.of(tree, "context");
        Long version = f.object("vm").object("stemcell").optionalInteger("api_version");
        var properties = new LinkedHashMap<>(tree);
        properties.keySet().removeAll(Set.of("director_uuid", "request_id", "vm"));
        return new CpiContext(
                f.string("director_uuid", ""),
                f.string("request_id", ""),
                version == null ? null : Math.toIntExact(version),
                properties);
    }

    @Override
    public String toString() {
        return "CpiContext[" + directorUuid + ", " + requestId + "]";
    }
}
