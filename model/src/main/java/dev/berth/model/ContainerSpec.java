package dev.berth.model;

import dev.berth.model.ContainerOrder.Restart;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one container should be: the union of what the three notations of a manifest can say, in
 * engine-neutral terms, by subject. Some values may be secrets: never print a spec, print its
 * {@link #digest()}.
 *
 * @param name unique in its instance; {@code [a-zA-Z0-9][a-zA-Z0-9_.-]+}
 */
public record ContainerSpec(
        String name,
        ContainerImage image,
        ContainerProcess process,
        ContainerOrder order,
        ContainerNetwork network,
        ContainerStorage storage,
        ContainerResources resources,
        ContainerSecurity security,
        ContainerLogging logging) {

    /** Nothing but what every container has: what is not given is left out of the tree. */
    static final ContainerSpec DEFAULT = of("", ContainerImage.DEFAULT);

    public static ContainerSpec of(String name, ContainerImage image) {
        return new ContainerSpec(
                name,
                image,
                ContainerProcess.DEFAULT,
                ContainerOrder.DEFAULT,
                ContainerNetwork.DEFAULT,
                ContainerStorage.DEFAULT,
                ContainerResources.DEFAULT,
                ContainerSecurity.DEFAULT,
                ContainerLogging.DEFAULT);
    }

    /** Names of the persistent disks that it needs (rule R2); the one at {@code store} is "". */
    public java.util.Set<String> persistentDisks() {
        return storage.persistentDisks();
    }

    public boolean usesPersistentDisk() {
        return storage.usesPersistentDisk();
    }

    /**
     * Containers without which this one cannot be made as it is: it joins their network, process or
     * ipc space, or takes over their volumes. When they are made anew, so must this one be.
     */
    public List<String> joined() {
        var names = new LinkedHashSet<String>();
        Stream.of(network.mode(), security.pid(), security.ipc())
                .flatMap(mode -> Stream.ofNullable(serviceOf(mode)))
                .forEach(names::add);
        storage.volumesFrom().forEach(v -> names.add(v.container()));
        return List.copyOf(names);
    }

    /** The container that a mode {@code service:NAME} names; null for any other mode. */
    public static @Nullable String serviceOf(@Nullable String mode) {
        return mode != null && mode.startsWith(ContainerNetwork.SERVICE)
                ? mode.substring(ContainerNetwork.SERVICE.length())
                : null;
    }

    /** Names of the containers this one must wait for, for whatever reason. */
    public List<String> needs() {
        var names = new LinkedHashSet<String>();
        order.dependsOn().forEach(d -> names.add(d.container()));
        network.links().forEach(l -> names.add(l.container()));
        names.addAll(joined());
        return new ArrayList<>(names);
    }

    public ContainerSpec pinnedTo(String digest) {
        return with(image.pinnedTo(digest));
    }

    ContainerSpec restartedBy(Restart policy) {
        return with(order.restartedBy(policy));
    }

    public ContainerSpec with(ContainerImage part) {
        return new ContainerSpec(
                name, part, process, order, network, storage, resources, security, logging);
    }

    public ContainerSpec with(ContainerProcess part) {
        return new ContainerSpec(
                name, image, part, order, network, storage, resources, security, logging);
    }

    public ContainerSpec with(ContainerOrder part) {
        return new ContainerSpec(
                name, image, process, part, network, storage, resources, security, logging);
    }

    public ContainerSpec with(ContainerNetwork part) {
        return new ContainerSpec(
                name, image, process, order, part, storage, resources, security, logging);
    }

    public ContainerSpec with(ContainerStorage part) {
        return new ContainerSpec(
                name, image, process, order, network, part, resources, security, logging);
    }

    public ContainerSpec with(ContainerResources part) {
        return new ContainerSpec(
                name, image, process, order, network, storage, part, security, logging);
    }

    public ContainerSpec with(ContainerSecurity part) {
        return new ContainerSpec(
                name, image, process, order, network, storage, resources, part, logging);
    }

    public ContainerSpec with(ContainerLogging part) {
        return new ContainerSpec(
                name, image, process, order, network, storage, resources, security, part);
    }

    /**
     * SHA-256 over everything the spec says: equal digests mean there is nothing to change (rule
     * R5). Contents of secrets and configs take part by their own SHA-256.
     */
    public String digest() {
        return Digests.sha256(Json.canonical(RecordTree.write(this, RecordTree.Secrets.HASHED)));
    }

    /**
     * The {@link #digest()} of what only a new container can change: without the limits that an
     * engine sets anew on a living one, and without what the supervisor alone minds.
     */
    public String fixedDigest() {
        return with(resources.withoutLimits())
                .with(order.withoutSupervision())
                .with(image.pulledWhenMissing())
                .digest();
    }

    /**
     * The form that travels in the apply spec; {@link #fromTree} reads it back. It holds what the
     * manifest gives and nothing else, so that what Berth learns later changes no digest of those
     * that do not use it.
     */
    public Map<String, Object> toTree() {
        return RecordTree.write(this, RecordTree.Secrets.REVEALED);
    }

    public static ContainerSpec fromTree(Object tree) {
        ContainerSpec spec = RecordTree.read(ContainerSpec.class, tree, "container");
        if (spec.name.isEmpty()) {
            throw new IllegalArgumentException(
                    "container: 'name' should be a string but is missing");
        }
        return spec;
    }

    /** Name and digest only: values of the environment may be secrets (rule R8). */
    @Override
    public String toString() {
        return "ContainerSpec[" + name + " " + digest().substring(0, 12) + "]";
    }
}
