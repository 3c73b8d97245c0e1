package dev.berth.director;

import java.io.IOException;

/** Blobs over HTTP: by signed URL for agents, {@code /resources/ID} for administrators. */
final class BlobsApi {
    private final Blobs blobs;

    BlobsApi(Blobs blobs) {
        this.blobs = blobs;
    }

    void addTo(Router router) {
        router.get("/resources/{id}", Access.ADMIN, call -> file(call.parameter("id")));
        router.get("/blobs/signed/{hh}/{id}", Access.ANYONE, this::fetch);
        router.on("PUT", "/blobs/signed/{hh}/{id}", "", Access.ANYONE, this::leave);
    }

    private Reply file(String id) throws IOException {
        Blobs.Blob blob = blobs.get(id);
        return new Reply.File(blob.file(), blob.size(), "application/x-gzip", true);
    }

    private Reply fetch(Call call) throws IOException {
        return signed(call) ? file(call.parameter("id")) : forbidden();
    }

    private Reply leave(Call call) throws IOException {
        if (!signed(call)) {
            return forbidden();
        }
        blobs.put(call.parameter("id"), call.body(), call.length());
        return new Reply.Empty(201);
    }

    private boolean signed(Call call) {
        String st = call.query("st");
        String ts = call.query("ts");
        String e = call.query("e");
        String path = call.parameter("hh") + "/" + call.parameter("id");
        String verb = call.method().equals("HEAD") ? "GET" : call.method();
        return st != null && ts != null && e != null && blobs.holds(verb, path, st, ts, e);
    }

    private static Reply forbidden() {
        return Reply.text(403, "This URL is not signed by this director, or has expired");
    }
}
