package dev.berth.engine;

import dev.berth.model.Json;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The calls Berth makes to a Docker Engine (API 1.41 or newer, negotiated). Bodies and answers are
 * the Engine API's own trees. Blocking; every call fails with {@link EngineException}; each has a
 * time limit, so a hung engine shows as an unknown outcome and never blocks for ever. Thread-safe.
 */
public interface Engine extends AutoCloseable {
    /** Whether {@code /_ping} answers within the limit. */
    boolean ping(Duration limit);

    Map<String, Object> version();

    Map<String, Object> info();

    /** The version of the API that is spoken with this engine, such as {@code 1.44}. */
    String apiVersion();

    // --- containers

    /** Creates and returns the id. */
    default String createContainer(String name, Map<String, Object> body) {
        return createContainer(name, null, body);
    }

    /**
     * Creates and returns the id.
     *
     * @param platform {@code os/arch[/variant]} of the image; null: the engine's own
     */
    String createContainer(String name, @Nullable String platform, Map<String, Object> body);

    /** Already running is success. */
    void startContainer(String id);

    /** Asks, waits the grace, then kills; not running is success. */
    void stopContainer(String id, Duration grace);

    /** Not running is success. */
    void killContainer(String id, String signal);

    /** Gone already is success; waits until the engine reports it gone. */
    void removeContainer(String id, boolean force, boolean anonymousVolumes);

    void renameContainer(String id, String name);

    /** Changes limits and restart policy of a running container. */
    void updateContainer(String id, Map<String, Object> body);

    Optional<Map<String, Object>> inspectContainer(String nameOrId);

    /** All containers, running or not, that carry these labels (value null: any value). */
    List<Map<String, Object>> listContainers(Map<String, @Nullable String> labels, Duration limit);

    /** The last lines of both streams, as text. */
    String logs(String id, int tail);

    /**
     * Follows or reads the streams in order into {@code out} until the container ends or the thread
     * is interrupted.
     */
    void streamLogs(String id, int tail, boolean follow, OutputStream out);

    /**
     * What is there now, entry by entry, until {@code sink} answers that it wants no more.
     *
     * @param since entries from this time on; null: the last {@code tail}
     */
    void readLogs(String id, @Nullable Instant since, int tail, Predicate<LogEntry> sink);

    /**
     * Runs a command in a running container, without a terminal, and collects what it prints
     * (bounded to 1 MiB).
     */
    default ExecResult exec(
            String id, List<String> command, Map<String, String> environment, Duration limit) {
        var env = new ArrayList<String>();
        environment.forEach((name, value) -> env.add(name + "=" + value));
        return exec(
                id,
                Json.of("AttachStdout", true, "AttachStderr", true, "Cmd", command, "Env", env),
                limit);
    }

    /** The same with the engine's own body. */
    ExecResult exec(String id, Map<String, Object> body, Duration limit);

    /**
     * Starts a command in a running container and stays connected to it: its input, its output, its
     * terminal.
     *
     * @param body the engine's own; {@code Tty} says whether it has a terminal
     */
    default ExecStream execStream(String id, Map<String, Object> body) {
        throw new EngineException(0, "this engine runs no commands with input");
    }

    /**
     * A command under way. Input and output may be used by two threads. Closing ends no command.
     */
    interface ExecStream extends AutoCloseable {
        /** Copies until the command ends; with a terminal all of it is standard output. */
        void copyOutput(OutputStream stdout, OutputStream stderr);

        /** At the pace of the command. */
        void write(byte[] bytes) throws java.io.IOException;

        /** The command reads an end of its input. */
        void endInput() throws java.io.IOException;

        void resize(int columns, int rows);

        ExecState state();

        @Override
        void close();
    }

    /**
     * How a command of {@link #execStream} is. The engine answers before it starts the command: one
     * that neither runs nor has an exit code has yet to begin.
     *
     * @param exitCode once it is over, also when it could not be started
     * @param pid as the engine's machine sees it; 0: not yet, or no longer
     */
    record ExecState(boolean running, OptionalInt exitCode, long pid) {}

    /** One sample of cpu and memory, engine shape, without waiting for a second one. */
    Map<String, Object> stats(String id);

    /** Output and exit code of {@link #exec}. */
    record ExecResult(int exitCode, String stdout, String stderr) {}

    /**
     * Events from now on that pass the Engine's filters, on a thread of their own; {@code ended} is
     * called once when the stream breaks, for whatever reason. Closing stops it. Events only say
     * "look": a gap is normal.
     */
    AutoCloseable events(
            Map<String, List<String>> filters,
            Consumer<Map<String, Object>> event,
            Consumer<Throwable> ended);

    // --- images

    Optional<Map<String, Object>> inspectImage(String reference);

    /**
     * Pulls; an error line in the progress stream is a failure that carries the registry's words.
     *
     * @param reference {@code name:tag} or {@code name@sha256:...}
     */
    default void pullImage(
            String reference, @Nullable RegistryAuth auth, Consumer<Map<String, Object>> progress) {
        pullImage(reference, null, auth, progress);
    }

    /**
     * The same for a platform that may be another than the engine's.
     *
     * @param platform {@code os/arch[/variant]}; null: the engine's own
     */
    void pullImage(
            String reference,
            @Nullable String platform,
            @Nullable RegistryAuth auth,
            Consumer<Map<String, Object>> progress);

    void pushImage(
            String reference, @Nullable RegistryAuth auth, Consumer<Map<String, Object>> progress);

    void tagImage(String source, String repository, String tag);

    /**
     * Imports a root file system as an image and returns its id; {@code changes} are Dockerfile
     * lines.
     */
    String importImage(InputStream tar, String repository, String tag, List<String> changes);

    /**
     * Builds from a tar of the context and returns the image id; the failing step's words are in
     * the error.
     */
    default String buildImage(
            InputStream contextTar,
            String tag,
            Map<String, String> labels,
            Consumer<Map<String, Object>> progress) {
        var build = new Build(tag, "Dockerfile", Map.of(), null, null, labels);
        return buildImage(contextTar, build, progress);
    }

    /**
     * How an image is built.
     *
     * @param dockerfile path within the context
     * @param target stage; null: the last one
     * @param platform {@code os/arch[/variant]}; null: the engine's own
     */
    record Build(
            String tag,
            String dockerfile,
            Map<String, String> args,
            @Nullable String target,
            @Nullable String platform,
            Map<String, String> labels) {
        /** Without the arguments, which may hold secrets. */
        @Override
        public String toString() {
            return "Build[" + tag + "]";
        }
    }

    /** The same with all that can be chosen; takes half an hour at most. */
    String buildImage(InputStream contextTar, Build build, Consumer<Map<String, Object>> progress);

    /** Gone already is success. */
    void removeImage(String reference, boolean force);

    List<Map<String, Object>> listImages();

    /** Credentials for one registry; never printed. */
    record RegistryAuth(String username, String password, String server) {
        @Override
        public String toString() {
            return "RegistryAuth[" + server + "]";
        }
    }

    // --- networks and volumes

    /** Returns the id. */
    String createNetwork(Map<String, Object> body);

    Optional<Map<String, Object>> inspectNetwork(String nameOrId);

    List<Map<String, Object>> listNetworks(Map<String, @Nullable String> labels);

    /** Gone already is success. */
    void removeNetwork(String nameOrId);

    void connectNetwork(String network, Map<String, Object> body);

    /** Also of a container that runs; one that is not on it is an error. */
    void disconnectNetwork(String network, String container);

    Map<String, Object> createVolume(Map<String, Object> body);

    List<Map<String, Object>> listVolumes(Map<String, @Nullable String> labels);

    /** Gone already is success. */
    void removeVolume(String name, boolean force);

    @Override
    void close();
}
