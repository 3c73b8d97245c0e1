package dev.berth.supervisor;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.ContainerImage;
import dev.berth.model.ContainerImage.Pull;
import dev.berth.model.ContainerOrder;
import dev.berth.model.ContainerSpec;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Runs steps against an engine: the only place in the supervisor that acts. Blocking; thread-safe;
 * never throws for what an engine may answer.
 */
final class EngineExecutor {
    private static final System.Logger LOG = System.getLogger(EngineExecutor.class.getName());

    private final Engine engine;
    private final SupervisorConfig config;
    private final DiskProof disks;
    private final RegistryAuths auths;
    private final CreateBody bodies;
    private final HostDirectories directories;
    private final VmFiles files;
    private final Hooks hooks;

    /** Networks seen in this life of the daemon. */
    private final Set<String> networksSeen = ConcurrentHashMap.newKeySet();

    private volatile @Nullable EngineFacts facts;

    EngineExecutor(Engine engine, SupervisorConfig config, DiskProof disks, RegistryAuths auths) {
        this.engine = engine;
        this.config = config;
        this.disks = disks;
        this.auths = auths;
        this.bodies = new CreateBody(config);
        this.directories = new HostDirectories(bodies);
        this.files = new VmFiles(bodies);
        this.hooks = new Hooks(engine);
    }

    Outcome run(Step step) {
        try {
            return switch (step) {
                case Step.PullImage s -> ensureImage(s.spec(), false);
                case Step.BuildImage s -> ensureImage(s.spec(), false);
                case Step.CreateContainer s -> create(s);
                case Step.UpdateContainer s -> update(s);
                case Step.StartContainer s -> start(s);
                case Step.StopContainer s -> stop(s);
                case Step.RemoveContainer s -> {
                    engine.removeContainer(s.id(), false, true);
                    String fixed = s.fixedDigest();
                    if (fixed != null) {
                        files.forget(s.container(), fixed);
                    }
                    yield done();
                }
            };
        } catch (EngineException e) {
            return refused(step, e);
        } catch (IOException | IllegalArgumentException e) {
            return new Outcome.Failed(String.valueOf(e.getMessage()), true, false);
        }
    }

    private static Outcome done() {
        return new Outcome.Done();
    }

    private Outcome refused(Step step, EngineException e) {
        if (e.isUnknown()) {
            return new Outcome.Unknown(String.valueOf(e.getMessage()));
        }
        boolean onContainer =
                step instanceof Step.StartContainer
                        || step instanceof Step.StopContainer
                        || step instanceof Step.UpdateContainer;
        if (e.isNotFound() && onContainer) {
            return new Outcome.Unknown("the container has gone");
        }
        String words = String.valueOf(e.getMessage());
        return switch (step) {
            case Step.CreateContainer s -> refusedCreate(s, e, words);
            case Step.UpdateContainer _ -> new Outcome.Failed(words, true, false);
            case Step.StartContainer s -> refusedStart(s, e, words);
            case Step.StopContainer _ ->
                    new Outcome.Failed("cannot be stopped: " + words, false, false);
            case Step.RemoveContainer _ ->
                    new Outcome.Failed("cannot be removed: " + words, false, false);
            case Step.PullImage _, Step.BuildImage _ -> new Outcome.Failed(words, false, false);
        };
    }

    private Outcome refusedStart(Step.StartContainer s, EngineException e, String words) {
        String holder =
                HeldPort.isMeant(words) ? HeldPort.text(engine, config.instance(), s.spec()) : null;
        if (holder != null) {
            return new Outcome.Failed(holder, true, false);
        }
        // 400 of a start: the image has no such program, or the mount or device is impossible.
        return new Outcome.Failed(words, e.status() == 400, false);
    }

    private Outcome refusedCreate(Step.CreateContainer s, EngineException e, String words) {
        if (e.isConflict()) {
            return heldName(s);
        }
        if (e.isNotFound()) {
            boolean network = words.contains("network");
            if (network) {
                networksSeen.clear();
            }
            return new Outcome.Failed(words, false, !network);
        }
        return new Outcome.Failed(words, e.status() == 400, false);
    }

    /**
     * Our own container under the name is found by the next look; a foreign one stands in the way.
     */
    private Outcome heldName(Step.CreateContainer s) {
        Optional<Fields> holder = named(s.engineName());
        if (holder.isEmpty()) {
            return new Outcome.Unknown("the name was taken and is free again");
        }
        return isOurs(holder.get())
                ? new Outcome.Unknown("a container of this name is there already")
                : heldByStranger(s.engineName(), holder.get());
    }

    /** By name only: the engine would take the beginning of an id as well. */
    private Optional<Fields> named(String engineName) {
        return engine.inspectContainer(engineName)
                .map(c -> Fields.of(c, "container"))
                .filter(c -> c.string("Name", "").equals("/" + engineName));
    }

    private boolean isOurs(Fields container) {
        return container
                .object("Config")
                .object("Labels")
                .string(Labels.INSTANCE, "")
                .equals(config.instance());
    }

    private static Outcome heldByStranger(String name, Fields holder) {
        return new Outcome.Failed(
                "the name '"
                        + name
                        + "' is held by container "
                        + shortId(holder)
                        + ", which Berth did not make; remove or rename that one",
                true,
                false);
    }

    private static String shortId(Fields container) {
        String id = container.string("Id", "?");
        return id.substring(0, Math.min(12, id.length()));
    }

    /**
     * Gives a container its own name. Who holds it still is the one that it replaces: that one is
     * kept for a while under a name beside.
     *
     * @return null when the name is its own now
     */
    private @Nullable Outcome takeName(String id, String name) {
        Optional<Fields> holder = named(name).filter(c -> !c.string("Id", "").equals(id));
        if (holder.isPresent()) {
            if (!isOurs(holder.get())) {
                return heldByStranger(name, holder.get());
            }
            if (holder.get().object("State").flag("Running", false)) {
                return new Outcome.Unknown("the container that it replaces runs still");
            }
            engine.renameContainer(holder.get().string("Id"), name + "." + shortId(holder.get()));
        }
        engine.renameContainer(id, name);
        return null;
    }

    // --- images

    /**
     * Makes sure that the image of a spec is here; the words of a failure name the image.
     *
     * @param atDeploy whether specs that ask for it have their tag looked at again
     */
    Outcome ensureImage(ContainerSpec spec, boolean atDeploy) {
        String image = Images.nameOf(spec);
        Pull pull = spec.image().pull();
        try {
            boolean again = atDeploy && pull == Pull.ALWAYS && spec.image().digest() == null;
            String dockerfile = spec.image().dockerfile();
            if (engine.inspectImage(image).isPresent() && !(again && dockerfile == null)) {
                return done();
            }
            if (dockerfile == null && pull == Pull.NEVER) {
                return new Outcome.Failed(
                        "image " + image + " is not on the VM, and its pull_policy is 'never'",
                        true,
                        false);
            }
            if (dockerfile == null) {
                return pull(image, spec.image());
            }
            for (String base : Images.basesOf(dockerfile)) {
                if (engine.inspectImage(base).isEmpty()) {
                    engine.pullImage(base, auths.forImage(base), progress -> {});
                }
            }
            engine.buildImage(
                    Images.context(dockerfile),
                    image,
                    Map.of(Labels.INSTANCE, config.instance()),
                    progress -> {});
            return done();
        } catch (EngineException e) {
            if (e.isUnknown()) {
                return new Outcome.Unknown(String.valueOf(e.getMessage()));
            }
            String what =
                    spec.image().dockerfile() == null
                            ? "image " + image + " cannot be pulled: "
                            : "the image of its dockerfile cannot be built: ";
            return new Outcome.Failed(what + e.getMessage(), needsChange(e), false);
        }
    }

    private Outcome pull(String image, ContainerImage wanted) {
        String digest = wanted.digest();
        engine.pullImage(image, wanted.platform(), auths.forImage(image), progress -> {});
        Optional<Map<String, Object>> pulled = engine.inspectImage(image);
        if (pulled.isEmpty()) {
            return new Outcome.Failed(
                    "image " + image + " was pulled but the engine does not have it", false, false);
        }
        List<String> digests = Fields.of(pulled.get(), "image").strings("RepoDigests");
        if (digest != null && digests.stream().noneMatch(d -> d.endsWith("@" + digest))) {
            return new Outcome.Failed(
                    "image " + image + " was pulled but came as " + digests, true, false);
        }
        return done();
    }

    /** No such image, or no right to it: a registry's outage reads otherwise. */
    private static boolean needsChange(EngineException e) {
        String words = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        return e.isNotFound()
                || words.contains("manifest unknown")
                || words.contains("not found")
                || words.contains("denied")
                || words.contains("unauthorized")
                || words.contains("invalid reference");
    }

    // --- containers

    private Outcome create(Step.CreateContainer s) throws IOException {
        if (unproven(s.spec()) instanceof Outcome.Failed failed) {
            return failed;
        }
        NetworkBody.made(s.spec(), config.network()).forEach(this::ensureNetwork);
        directories.ensure(s.spec(), () -> userOf(s.spec()));
        files.write(s.spec());
        var around =
                new CreateBody.Surroundings(
                        facts(),
                        imageEntrypoint(s.spec()),
                        VmFiles.environment(s.spec()),
                        VmFiles.securityOptions(s.spec()));
        CreateBody.Made made = bodies.of(s.spec(), s.digest(), s.intent(), around);
        String id =
                engine.createContainer(s.engineName(), s.spec().image().platform(), made.tree());
        connect(id, made.later());
        String note = String.join("; ", made.warnings());
        if (!note.isEmpty()) {
            LOG.log(System.Logger.Level.WARNING, "container=" + s.container() + " " + note);
        }
        return new Outcome.Created(id, isChecked(id), note);
    }

    /** A container that could not be attached everywhere is none: it is made anew. */
    private void connect(String id, Map<String, Map<String, Object>> networks) {
        try {
            networks.forEach((name, endpoint) ->
                    engine.connectNetwork(
                            name, Json.of("Container", id, "EndpointConfig", endpoint)));
        } catch (EngineException e) {
            engine.removeContainer(id, true, true);
            throw e;
        }
    }

    private EngineFacts facts() {
        EngineFacts known = facts;
        if (known == null) {
            known = EngineFacts.of(engine, config.defaults());
            facts = known;
        }
        return known;
    }

    /** Known at once, a container without a check is up as soon as it runs. */
    private boolean isChecked(String id) {
        List<String> test =
                engine.inspectContainer(id)
                        .map(c -> Fields.of(c, "container").object("Config"))
                        .map(config -> config.object("Healthcheck").strings("Test"))
                        .orElse(List.of());
        return !test.isEmpty() && !test.equals(List.of("NONE"));
    }

    /** Only what differs is sent; what the engine cannot take back asks for a new container. */
    private Outcome update(Step.UpdateContainer s) {
        Fields host =
                Fields.of(
                                engine.inspectContainer(s.id())
                                        .orElseThrow(() ->
                                                new EngineException(404, "the container has gone")),
                                "container")
                        .object("HostConfig");
        Limits limits = Limits.between(host, s.spec());
        if (!limits.irrevocable().isEmpty()) {
            return new Outcome.Failed(
                    "a limit cannot be taken away: " + String.join(", ", limits.irrevocable()),
                    true,
                    false);
        }
        if (!limits.changed().isEmpty()) {
            engine.updateContainer(s.id(), limits.changed());
        }
        return done();
    }

    private Outcome start(Step.StartContainer s) throws IOException {
        if (unproven(s.spec()) instanceof Outcome.Failed failed) {
            return failed;
        }
        directories.ensure(s.spec(), () -> userOf(s.spec()));
        files.write(s.spec()); // a boot has emptied the memory
        if (!s.engineName().equals(s.container())
                && takeName(s.id(), s.container()) instanceof Outcome held) {
            return held;
        }
        engine.startContainer(s.id());
        ContainerOrder order = s.spec().order();
        if (order.postStart().isEmpty()) {
            return done();
        }
        Duration limit =
                order.startTimeout().isZero() ? Absorption.START_DEADLINE : order.startTimeout();
        String wrong = hooks.run(s.id(), order.postStart(), limit);
        if (wrong == null) {
            return done();
        }
        engine.stopContainer(s.id(), order.stopGracePeriod());
        return new Outcome.Failed("post_start: " + wrong, false, false);
    }

    /** What the hooks take is taken from the grace; a failed one keeps nothing running. */
    private Outcome stop(Step.StopContainer s) {
        Duration left = s.grace();
        if (!s.hooks().isEmpty()) {
            long began = System.nanoTime();
            String wrong = hooks.run(s.id(), s.hooks(), s.grace());
            left = s.grace().minusNanos(System.nanoTime() - began);
            if (wrong != null) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "container=" + s.container() + " pre_stop: " + wrong);
            }
        }
        engine.stopContainer(s.id(), left.isNegative() ? Duration.ZERO : left);
        return done();
    }

    /** The disk is proven once more at the last moment: it may have gone since the decision. */
    private @Nullable Outcome unproven(ContainerSpec spec) {
        var needed = spec.persistentDisks();
        String why = needed.isEmpty() ? null : disks.proveAll().unproven(needed);
        return why == null ? null : new Outcome.Failed(why, false, false);
    }

    private String userOf(ContainerSpec spec) {
        String user = spec.process().user();
        if (user != null) {
            return user;
        }
        return imageConfig(spec).string("User", "");
    }

    private @Nullable List<String> imageEntrypoint(ContainerSpec spec) {
        List<String> command = spec.process().command();
        return command != null && command.isEmpty() && spec.process().entrypoint() == null
                ? imageConfig(spec).strings("Entrypoint")
                : null;
    }

    private Fields imageConfig(ContainerSpec spec) {
        Map<String, Object> image = engine.inspectImage(Images.nameOf(spec)).orElse(Map.of());
        return Fields.of(image, "image").object("Config");
    }

    /** The daemon came back, perhaps with other networks and as another version. */
    void forgetNetwork() {
        networksSeen.clear();
        facts = null;
    }

    /** Ahead of the first create, which makes it if this cannot and says why. */
    void prepareNetwork() {
        try {
            ensureNetwork(config.network());
        } catch (EngineException e) {
            LOG.log(System.Logger.Level.DEBUG, "the network cannot be made ahead", e);
        }
    }

    private synchronized void ensureNetwork(String name) {
        if (networksSeen.contains(name)) {
            return;
        }
        if (engine.inspectNetwork(name).isEmpty()) {
            engine.createNetwork(
                    Json.of(
                            "Name",
                            name,
                            "Driver",
                            "bridge",
                            "CheckDuplicate",
                            true,
                            "Options",
                            config.defaults().networkOptions(),
                            "Labels",
                            Json.of(Labels.INSTANCE, config.instance())));
        }
        networksSeen.add(name);
    }
}
