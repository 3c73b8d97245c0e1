package dev.berth.cpi.docker;

import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a disk beside its file, whose length is its size.
 *
 * @param attachedTo the VM it was given to; set before the device is shown and cleared after it is
 *     gone, so that it errs on the side of "attached"
 */
record DiskRecord(
        DiskCid cid,
        String director,
        String requestId,
        Map<String, Object> cloudProperties,
        Map<String, String> metadata,
        @Nullable VmCid attachedTo) {

    DiskRecord attachedTo(@Nullable VmCid vm) {
        return new DiskRecord(cid, director, requestId, cloudProperties, metadata, vm);
    }

    DiskRecord metadata(Map<String, String> next) {
        return new DiskRecord(cid, director, requestId, cloudProperties, next, attachedTo);
    }

    Map<String, Object> toTree() {
        VmCid vm = attachedTo;
        return Json.of(
                "cid",
                cid.value(),
                "director",
                director,
                "request_id",
                requestId,
                "cloud_properties",
                cloudProperties,
                "metadata",
                metadata,
                "attached_to",
                vm == null ? null : vm.value());
    }

    static DiskRecord fromTree(Fields f) {
        String vm = f.optionalString("attached_to");
        return new DiskRecord(
                new DiskCid(f.string("cid")),
                f.string("director"),
                f.string("request_id"),
                f.object("cloud_properties").tree(),
                f.stringMap("metadata"),
                vm == null ? null : new VmCid(vm));
    }
}
