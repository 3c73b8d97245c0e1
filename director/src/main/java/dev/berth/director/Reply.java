package dev.berth.director;

import dev.berth.model.Json;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The answer to a {@link Call}. */
sealed interface Reply {
    int status();

    /** A body held in memory. */
    record Content(int status, String type, String body) implements Reply {}

    /** No body. */
    record Empty(int status) implements Reply {}

    /**
     * @param location path on this director: relative, so that no proxy in between can break it
     */
    record Redirect(String location) implements Reply {
        @Override
        public int status() {
            return 302;
        }
    }

    /** Who asks is not known. */
    record Unauthenticated(String path) implements Reply {
        @Override
        public int status() {
            return 401;
        }
    }

    /**
     * Part or all of a file that may be growing.
     *
     * @param size how much of it may be shown
     * @param ranges whether a {@code Range} header is honoured
     */
    record File(Path file, long size, String type, boolean ranges) implements Reply {
        @Override
        public int status() {
            return 200;
        }
    }

    /**
     * The caller and a session speak at the same time for as long as it lasts.
     *
     * @param session closed by the server when the caller cannot be spoken to any more
     */
    record Duplex(String type, Session session) implements Reply {
        @Override
        public int status() {
            return 200;
        }
    }

    /** What goes on between a caller and something else. */
    interface Session extends AutoCloseable {
        /** Returns when it is over, whoever ended it. */
        void run(java.io.InputStream in, java.io.OutputStream out) throws java.io.IOException;

        @Override
        void close();
    }

    static Reply json(int status, @Nullable Object tree) {
        return new Content(status, "application/json", Json.write(tree));
    }

    static Reply json(@Nullable Object tree) {
        return json(200, tree);
    }

    static Reply text(int status, String text) {
        return new Content(status, "text/plain;charset=utf-8", text + "\n");
    }

    /** The work goes on in a task. */
    static Reply task(long id) {
        return new Redirect("/tasks/" + id);
    }

    static Reply problem(int status, int code, String description) {
        return json(status, Json.of("code", code, "description", description));
    }

    static Reply notFound(String path) {
        return text(404, "Endpoint '" + path + "' not found.");
    }
}
