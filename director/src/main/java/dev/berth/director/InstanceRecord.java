package dev.berth.director;

import dev.berth.model.Digests;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * What each agent keeps for a director that loses its store: the rows of its own instance, and what
 * all instances of the deployment share. Sealed with the director's key, for manifests may hold
 * secrets; its variables are sealed once more, as in the store.
 *
 * @param at when it was made: of two that differ in what is shared the newer is right
 */
record InstanceRecord(Instant at, String director, Shared shared, Part own) {
    /** What it is sealed as. */
    private static final String NAME = "record";

    /** Unpacked; far above any deployment, far below what would hurt. */
    private static final int MOST_BYTES = 64 << 20;

    /**
     * What all instances of a deployment have in common.
     *
     * @param configs those that the deployment used, in its order, then all other current ones
     * @param used how many of them the deployment used
     * @param absent instances without a VM: no agent can keep theirs
     */
    record Shared(
            Rows.Deployment deployment,
            List<Rows.Config> configs,
            int used,
            List<Rows.Stemcell> stemcells,
            List<Rows.Variable> variables,
            List<Part> absent) {
        private Map<String, Object> toTree() {
            return Json.of(
                    "deployment",
                    RowTrees.toTree(deployment),
                    "configs",
                    trees(configs),
                    "used",
                    used,
                    "stemcells",
                    trees(stemcells),
                    "variables",
                    trees(variables),
                    "absent",
                    absent.stream().map(Part::toTree).toList());
        }

        /** Equal for equal contents; the text is large, so it is to be asked for once. */
        String digest() {
            return Digests.sha256(Json.canonical(toTree()));
        }

        private static Shared fromTree(Fields f) {
            return new Shared(
                    RowTrees.fromTree(Rows.Deployment.class, f.object("deployment").tree()),
                    rows(f, "configs", Rows.Config.class),
                    (int) f.integer("used", 0),
                    rows(f, "stemcells", Rows.Stemcell.class),
                    rows(f, "variables", Rows.Variable.class),
                    f.objects("absent").stream().map(Part::fromTree).toList());
        }
    }

    /** The rows of one instance. */
    record Part(
            Rows.Instance instance, List<Rows.Vm> vms, List<Rows.Disk> disks, List<Rows.Ip> ips) {
        private Map<String, Object> toTree() {
            return Json.of(
                    "instance",
                    RowTrees.toTree(instance),
                    "vms",
                    vms.stream().map(Part::withoutDigest).map(RowTrees::toTree).toList(),
                    "disks",
                    trees(disks),
                    "ips",
                    trees(ips));
        }

        /** Else keeping a record would make it another one. */
        private static Rows.Vm withoutDigest(Rows.Vm vm) {
            var shape = new LinkedHashMap<>(vm.shape());
            shape.remove(RecordKeeper.DIGEST);
            return vm.ofShape(shape);
        }

        private static Part fromTree(Fields f) {
            return new Part(
                    RowTrees.fromTree(Rows.Instance.class, f.object("instance").tree()),
                    rows(f, "vms", Rows.Vm.class),
                    rows(f, "disks", Rows.Disk.class),
                    rows(f, "ips", Rows.Ip.class));
        }
    }

    private static <T extends Record> List<Map<String, Object>> trees(List<T> rows) {
        return rows.stream().map(RowTrees::toTree).toList();
    }

    private static <T extends Record> List<T> rows(Fields f, String key, Class<T> type) {
        return f.list(key).stream().map(tree -> RowTrees.fromTree(type, tree)).toList();
    }

    /**
     * @param shared of {@link Shared#digest}
     */
    static String digest(String shared, Part own) {
        return Digests.sha256(shared + Json.canonical(own.toTree())).substring(0, 32);
    }

    String sealed(SecretBox box) {
        Map<String, Object> tree =
                Json.of(
                        "version",
                        1,
                        "at",
                        at.toString(),
                        "director",
                        director,
                        "shared",
                        shared.toTree(),
                        "own",
                        own.toTree());
        var packed = new ByteArrayOutputStream();
        try (var zip = new GZIPOutputStream(packed)) {
            zip.write(Json.write(tree).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return box.seal(NAME, Base64.getEncoder().encodeToString(packed.toByteArray()));
    }

    /**
     * @throws IllegalStateException it was sealed with another key
     * @throws IllegalArgumentException it is no record, or of a version from the future
     */
    static InstanceRecord unseal(SecretBox box, String sealed) {
        byte[] packed = Base64.getDecoder().decode(box.unseal(NAME, sealed));
        Fields f;
        try (var zip = new GZIPInputStream(new ByteArrayInputStream(packed))) {
            byte[] text = zip.readNBytes(MOST_BYTES + 1);
            if (text.length > MOST_BYTES) {
                throw new IllegalArgumentException(
                        "a record of more than " + MOST_BYTES + " bytes");
            }
            f = Fields.of(Json.parse(text), "record");
        } catch (IOException e) {
            throw new IllegalArgumentException("not a record: " + e.getMessage(), e);
        }
        if (f.integer("version") != 1) {
            throw new IllegalArgumentException(
                    "a record of version " + f.integer("version") + "; run the newer Berth");
        }
        return new InstanceRecord(
                Instant.parse(f.string("at")),
                f.string("director"),
                Shared.fromTree(f.object("shared")),
                Part.fromTree(f.object("own")));
    }

    @Override
    public String toString() {
        return "InstanceRecord[" + own.instance().id() + " at " + at + "]";
    }
}
