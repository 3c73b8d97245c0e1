package dev.berth.director;

import dev.berth.model.ProblemException;
import java.io.IOException;

/**
 * {@code /build_contexts/DIGEST}: {@code GET} tells whether it is there, {@code PUT} takes it in.
 */
final class BuildContextsApi {
    private final BuildContexts contexts;

    BuildContextsApi(BuildContexts contexts) {
        this.contexts = contexts;
    }

    void addTo(Router router) {
        router.get("/build_contexts/{digest}", Access.ADMIN, this::look);
        router.on(
                "PUT",
                "/build_contexts/{digest}",
                "application/octet-stream",
                Access.ADMIN,
                this::save);
    }

    private Reply look(Call call) {
        String digest = call.parameter("digest");
        if (!contexts.has(digest)) {
            throw new ProblemException(70000, "There is no context " + digest);
        }
        return new Reply.Empty(200);
    }

    private Reply save(Call call) throws IOException {
        contexts.save(call.parameter("digest"), call.body(), call.length());
        return new Reply.Empty(204);
    }
}
