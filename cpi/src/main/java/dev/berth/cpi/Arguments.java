package dev.berth.cpi;

import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.SnapshotCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The positional arguments of one call, read with errors that name method, place and name. */
record Arguments(String method, List<Object> values) {
    /** Refuses too few or too many. */
    Arguments count(int least, int most) {
        if (values.size() < least || values.size() > most) {
            throw wrong(
                    "takes "
                            + (least == most ? least : least + " to " + most)
                            + " arguments, got "
                            + values.size());
        }
        return this;
    }

    String text(int at, String name) {
        if (value(at) instanceof String text && !text.isBlank()) {
            return text;
        }
        throw miss(at, name, "a non-empty string");
    }

    VmCid vm(int at) {
        return new VmCid(text(at, "vm_cid"));
    }

    DiskCid disk(int at) {
        return new DiskCid(text(at, "disk_cid"));
    }

    SnapshotCid snapshot(int at) {
        return new SnapshotCid(text(at, "snapshot_cid"));
    }

    StemcellCid stemcell(int at) {
        return new StemcellCid(text(at, "stemcell_cid"));
    }

    AgentId agent(int at) {
        return new AgentId(text(at, "agent_id"));
    }

    /** A size in MiB. */
    long size(int at, String name) {
        if (value(at) instanceof Long number && number > 0 && number <= 1L << 40) {
            return number;
        }
        throw miss(at, name, "a positive integer (MiB)");
    }

    /** An object; null counts as an empty one. */
    Map<String, Object> object(int at, String name) {
        return switch (value(at)) {
            case null -> Map.of();
            case Map<?, ?> map -> Json.asObject(map);
            case Object other -> throw miss(at, name, "an object");
        };
    }

    /** An object whose values are taken as text. */
    Map<String, String> texts(int at, String name) {
        var texts = new LinkedHashMap<String, String>();
        object(at, name).forEach((key, value) -> texts.put(key, String.valueOf(value)));
        return texts;
    }

    /** The tags of the options object {@code {"tags": {...}}}. */
    Map<String, String> tags(int at) {
        return Fields.of(object(at, "options"), method + " options").stringMap("tags");
    }

    List<DiskCid> disks(int at) {
        return switch (value(at)) {
            case null -> List.of();
            case List<?> list ->
                    list.stream().map(cid -> new DiskCid(String.valueOf(cid))).toList();
            case Object other -> throw miss(at, "disk_cids", "an array");
        };
    }

    @Nullable VmCid optionalVm(int at) {
        return value(at) == null ? null : vm(at);
    }

    private @Nullable Object value(int at) {
        return at < values.size() ? values.get(at) : null;
    }

    private CpiException miss(int at, String name, String wanted) {
        Object got = value(at);
        return wrong(
                "argument "
                        + (at + 1)
                        + " ("
                        + name
                        + ") should be "
                        + wanted
                        + ", not "
                        + (got == null ? "null" : got.getClass().getSimpleName()));
    }

    private CpiException wrong(String what) {
        return new CpiException(CpiException.Type.CPI_ERROR, method + ": " + what);
    }
}
