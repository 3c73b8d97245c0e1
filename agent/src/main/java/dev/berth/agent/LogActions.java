package dev.berth.agent;

import static dev.berth.agent.Action.background;
import static dev.berth.agent.Action.inOrder;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Logs and blobs on the wire. */
final class LogActions {
    private static final int LARGEST_UPLOAD = 1024 * 1024;

    private final LogBundle bundle;
    private final Blobs blobs;
    private final Layout layout;
    private final Programs programs;

    LogActions(LogBundle bundle, Blobs blobs, Layout layout, Programs programs) {
        this.bundle = bundle;
        this.blobs = blobs;
        this.layout = layout;
        this.programs = programs;
    }

    List<Action> all() {
        return List.of(
                background("fetch_logs", 2, (a, call) -> fetch(a)),
                background("fetch_logs_with_signed_url", 1, (a, call) -> fetchSigned(a)),
                inOrder("bundle_logs", 1, (a, call) -> bundle(a)),
                inOrder("remove_file", 1, (a, call) -> remove(a)),
                background("upload_blob", 1, (a, call) -> upload(a)));
    }

    private Object fetch(Arguments a) throws IOException {
        Path archive = bundle.make(a.string(0), a.strings(1));
        try {
            String sha1 = MultiDigest.hex(archive, "sha1");
            return Json.of("blobstore_id", blobs.store(archive), "sha1", sha1);
        } finally {
            Files.deleteIfExists(archive);
        }
    }

    private Object fetchSigned(Arguments a) throws IOException {
        Fields request = a.object(0, "fetch_logs_with_signed_url");
        Path archive = bundle.make(request.string("log_type"), request.strings("filters"));
        try {
            blobs.put(
                    request.string("signed_url"), request.stringMap("blobstore_headers"), archive);
            return Json.of(
                    "sha1",
                    MultiDigest.hex(archive, "sha1")
                            + ";sha512:"
                            + MultiDigest.hex(archive, "sha512"));
        } finally {
            Files.deleteIfExists(archive);
        }
    }

    private Object bundle(Arguments a) throws IOException {
        Fields request = a.object(0, "bundle_logs");
        String owner = request.string("owning_user", "");
        Path archive = bundle.make(request.string("log_type"), request.strings("filters"));
        if (!owner.isEmpty()) {
            String ignored =
                    programs.run(Duration.ofSeconds(5), "chown", "--", owner, archive.toString())
                            .orFail("cannot give the archive to " + owner);
        }
        return Json.of(
                "logs_tar_path", archive.toString(), "sha512", MultiDigest.hex(archive, "sha512"));
    }

    /** Only what {@code bundle_logs} made: the protocol would let a director remove anything. */
    private Object remove(Arguments a) throws IOException {
        Path file = Path.of(a.string(0)).normalize();
        if (!layout.temporary().equals(file.getParent())) {
            throw new ActionException("only files in " + layout.temporary() + " are removed");
        }
        Files.deleteIfExists(file);
        return a.string(0);
    }

    private Object upload(Arguments a) throws IOException {
        Fields request = a.object(0, "upload_blob");
        String payload = request.string("payload");
        if (payload.length() > 2 * LARGEST_UPLOAD) {
            throw new ActionException("the blob is too large for the bus");
        }
        String id = request.string("blob_id");
        blobs.keep(
                id, request.string("checksum"), java.util.Base64.getMimeDecoder().decode(payload));
        return id;
    }
}
