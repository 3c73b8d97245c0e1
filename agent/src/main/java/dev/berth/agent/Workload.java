package dev.berth.agent;

import dev.berth.engine.Engine;
import dev.berth.model.ContainerSpec;
import dev.berth.model.DaemonSettings;
import dev.berth.wire.AgentState.ContainerState;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The containers of this VM, as the agent needs them: a wish goes in, states and troubles come out.
 * Failures are exceptions whose message an operator can use. Thread-safe.
 */
interface Workload {
    /** Fetches or builds every image of these containers without touching what runs. */
    void prepare(List<ContainerSpec> containers);

    /**
     * Gives the Docker daemon those of its settings that no container notices, so that images can
     * be fetched with them; where no container runs, all of them.
     *
     * @param index of the instance
     * @return what was done, for an operator; empty: nothing
     */
    default String prepareDaemon(DaemonSettings settings, int index) {
        return "";
    }

    /**
     * Gives the Docker daemon all of its settings and makes these containers the wish, durably;
     * what did not change is not touched.
     *
     * @param mark kept with the wish, for {@link #before}
     * @return what was done to the daemon, for an operator; empty: nothing
     */
    String apply(List<ContainerSpec> containers, DaemonSettings settings, int index, String mark);

    /** The mark of the wish under which all ran last; empty when nothing ever ran. */
    Optional<String> before();

    /**
     * Makes that wish the wish again.
     *
     * @param settings that the Docker daemon had then
     * @return what was done to the daemon, for an operator; empty: nothing
     */
    String rollBack(DaemonSettings settings, int index);

    /**
     * Wants the wished containers running; returns when that is written down, not when they are.
     */
    void start();

    /** Wants none running, and waits until none is. */
    void stop(Duration limit);

    Status status();

    /**
     * Tells what is known of a persistent disk (rule R2); effects follow by themselves.
     *
     * @param name of the disk; "" is the one at {@code store}
     */
    void disk(String name, MountProof proof);

    /** Names of containers that exist and use that disk and may be running now. */
    List<String> runningOnDisk(String name);

    void startContainer(String name);

    /**
     * With its dependents, until it is started again by {@link #startContainer}: neither a start of
     * the instance nor a new wish undoes what a person asked for.
     */
    void stopContainer(String name);

    /** With its dependents, in order. */
    void restartContainer(String name);

    /** The last lines of both streams. */
    String logs(String name, int tail);

    /** The same, copied piece by piece: logs may be larger than the agent's memory. */
    void copyLogs(String name, int tail, OutputStream out);

    /**
     * Some lines of both streams, with the cursor to ask for the next ones.
     *
     * @param cursor of the answer before; empty: begin with the last lines there are
     * @param most lines in one answer
     */
    Map<String, Object> readLogs(String name, String cursor, int most);

    /**
     * Why containers are as they are, in more words than a heartbeat has room for.
     *
     * @param name of one container; empty: all
     */
    Map<String, Object> explain(String name);

    Output run(String name, List<String> command, Duration limit);

    /**
     * Starts a command in a container and stays connected to it.
     *
     * @param body of the Engine's own
     */
    default Engine.ExecStream session(String name, Map<String, Object> body) {
        throw new ActionException("no sessions here");
    }

    /** Called, on any thread, whenever {@link #status()} may have become another. */
    void onChange(Runnable changed);

    /** Called with each trouble that begins, worsens or ends. */
    void onTrouble(Consumer<Trouble> trouble);

    /**
     * What all containers together are.
     *
     * @param jobState BOSH's word: {@code running}, {@code starting}, {@code failing}, {@code
     *     stopped} or {@code unknown}
     * @param daemon state of the Docker daemon in lower case
     */
    record Status(String jobState, String daemon, List<ContainerState> containers) {}

    /** What a command in a container left behind. */
    record Output(int exitCode, String stdout, String stderr) {}

    /**
     * Something an operator should hear of.
     *
     * @param key the same for the beginning, the worsening and the end of one trouble
     * @param severity BOSH's: 1 alert, 2 critical, 3 error, 4 warning
     * @param resolved whether this is its end
     */
    record Trouble(String key, int severity, boolean resolved, String title, String summary) {}
}
