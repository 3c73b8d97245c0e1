package dev.berth.agent;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The reduced copy of the last apply spec that an agent keeps and reports, in a file of its own.
 * Its containers are not in it: the supervisor keeps those, and they may hold secrets. Thread-safe.
 */
final class InstanceSpec {
    /** The keys of an apply spec that BOSH agents keep. */
    private static final List<String> KEPT =
            List.of(
                    "properties",
                    "job",
                    "packages",
                    "configuration_hash",
                    "networks",
                    "resource_pool",
                    "deployment",
                    "name",
                    "index",
                    "id",
                    "az",
                    "persistent_disk",
                    "rendered_templates_archive");

    private final Layout layout;
    private volatile Fields spec;

    InstanceSpec(Layout layout) {
        this.layout = layout;
        this.spec =
                Fields.of(
                        DurableFile.read(layout.spec()).<Object>map(Json::parse).orElse(Map.of()),
                        "stored spec");
    }

    /** The stored spec; empty before the first apply. */
    Fields get() {
        return spec;
    }

    /**
     * Takes what agents keep of an apply spec, and writes the files that say which instance this
     * is.
     */
    void store(Fields applied) {
        Map<String, Object> reduced = reduced(applied);
        DurableFile.write(layout.spec(), Json.write(reduced));
        Fields stored = Fields.of(reduced, "stored spec");
        writeInstanceFile("id", stored.string("id", ""));
        writeInstanceFile("az", stored.string("az", ""));
        writeInstanceFile("name", stored.string("name", ""));
        writeInstanceFile("deployment", stored.string("deployment", ""));
        spec = stored;
    }

    /** What agents keep of an apply spec; of what is reduced already, all. */
    static Map<String, Object> reduced(Fields applied) {
        var reduced = new LinkedHashMap<String, Object>();
        KEPT.stream()
                .filter(applied::has)
                .forEach(key -> reduced.put(key, applied.tree().get(key)));
        Object logging = applied.object("properties").tree().get("logging");
        reduced.put("properties", logging == null ? Map.of() : Json.of("logging", logging));
        return reduced;
    }

    private void writeInstanceFile(String name, String value) {
        var file = layout.instance().resolve(name);
        if (!DurableFile.read(file).equals(java.util.Optional.of(value))) {
            DurableFile.write(file, value, "rw-r--r--");
        }
    }

    /**
     * Names of the BOSH jobs beside the containers, in order; empty for Berth's own deployments.
     */
    List<String> jobs() {
        var names = new ArrayList<String>();
        for (Fields template : spec.object("job").objects("templates")) {
            String name = template.string("name", "");
            // A name is used in paths below, so it may not lead elsewhere.
            if (name.matches("[a-zA-Z0-9][a-zA-Z0-9_.\\-]*")) {
                names.add(name);
            }
        }
        return names;
    }
}
