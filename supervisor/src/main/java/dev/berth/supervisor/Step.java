package dev.berth.supervisor;

import dev.berth.model.ContainerOrder.Hook;
import dev.berth.model.ContainerSpec;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One thing to do to the engine, with the reason that a person may read. */
public sealed interface Step {
    /** The container for whose sake it is done. */
    String container();

    String reason();

    /** Makes sure that the image is here, pulling it when it is not. */
    record PullImage(String container, String image, ContainerSpec spec, String reason)
            implements Step {}

    /** Makes sure that the image of an inline Dockerfile is here, building it when it is not. */
    record BuildImage(String container, String image, ContainerSpec spec, String reason)
            implements Step {}

    /**
     * @param engineName the container's name in the engine: its own, or while another holds that
     *     one, a name beside it
     * @param intent goes into a label, so that after a crash the container can be told to be this
     *     step's
     */
    record CreateContainer(
            ContainerSpec spec, String digest, String engineName, String intent, String reason)
            implements Step {
        @Override
        public String container() {
            return spec.name();
        }
    }

    /** Gives an existing container the limits of another spec, while it runs or not. */
    record UpdateContainer(ContainerSpec spec, String digest, String id, String reason)
            implements Step {
        @Override
        public String container() {
            return spec.name();
        }
    }

    /**
     * Starts an existing container whose spec is the wished one.
     *
     * @param engineName its name in the engine; when that is not its own, it takes its own first
     */
    record StartContainer(ContainerSpec spec, String id, String engineName, String reason)
            implements Step {
        @Override
        public String container() {
            return spec.name();
        }
    }

    /**
     * Hooks, stop signal, grace, kill.
     *
     * @param hooks run in it first; their time is part of the grace
     */
    record StopContainer(
            String container, String id, Duration grace, List<Hook> hooks, String reason)
            implements Step {
        StopContainer(String container, String id, Duration grace, String reason) {
            this(container, id, grace, List.of(), reason);
        }
    }

    /**
     * Removes a stopped container with its anonymous volumes.
     *
     * @param fixedDigest whose files in memory go with it; null: another container has the same
     */
    record RemoveContainer(String container, String id, @Nullable String fixedDigest, String reason)
            implements Step {}

    /** Whether the step is about an image only and leaves the container alone. */
    default boolean isImage() {
        return switch (this) {
            case PullImage _, BuildImage _ -> true;
            case CreateContainer _,
                    UpdateContainer _,
                    StartContainer _,
                    StopContainer _,
                    RemoveContainer _ ->
                    false;
        };
    }
}
