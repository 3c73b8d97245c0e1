package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.Cpi.VmEvidence;
import dev.berth.cpi.CpiException;
import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.model.YamlDocument;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Collects the {@link Facts}: reads the store once, then asks cloud and agents side by side. */
final class DoctorLook {
    /** A person waits, and a busy agent still answers within. */
    private static final Duration QUESTION = Duration.ofSeconds(5);

    private static final int AT_ONCE = 32;

    private final Hands hands;

    DoctorLook(Hands hands) {
        this.hands = hands;
    }

    /**
     * @param deployment null: everything this director has
     * @param networks that are needed whatever the cloud configs say
     * @throws CpiException the cloud does not answer: without its word nothing is a difference
     */
    Facts look(@Nullable String deployment, Set<String> networks) throws Exception {
        // The cloud first: what is made between the two looks is recorded by the second.
        List<CloudObject> inventory = inventory();
        Facts recorded =
                hands.store()
                        .read(s -> recorded(s, deployment, withoutSpares(s, inventory), networks));
        var evidence = new ConcurrentHashMap<VmCid, VmEvidence>();
        var agents = new ConcurrentHashMap<AgentId, Facts.Heard>();
        hands.parallel()
                .forEach(
                        recorded.vms(),
                        AT_ONCE,
                        vm -> {
                            VmEvidence seen = evidence(vm.cid());
                            evidence.put(vm.cid(), seen);
                            if (seen == VmEvidence.RUNNING || seen == VmEvidence.PRESENT) {
                                agents.put(vm.agent(), ask(vm.agent()));
                            }
                        });
        return new Facts(
                recorded.deployments(),
                recorded.instances(),
                recorded.vms(),
                recorded.disks(),
                recorded.ips(),
                recorded.openIntents(),
                recorded.inventory(),
                Map.copyOf(evidence),
                Map.copyOf(agents),
                recorded.networks());
    }

    private @Nullable List<CloudObject> inventory() {
        try {
            return hands.cpi().inventory(hands.looking());
        } catch (CpiException e) {
            if (e.type() == CpiException.Type.NOT_IMPLEMENTED) {
                return null;
            }
            throw e;
        }
    }

    /** Their pool looks after them. One that was taken is an instance's. */
    private static @Nullable List<CloudObject> withoutSpares(
            StoreSession s, @Nullable List<CloudObject> inventory) {
        Set<AgentId> spares =
                s.spares().stream()
                        .filter(spare -> !spare.is(Rows.Spare.TAKEN))
                        .map(Rows.Spare::agent)
                        .collect(Collectors.toSet());
        return inventory == null || spares.isEmpty()
                ? inventory
                : inventory.stream()
                        .filter(o -> o.agent() == null || !spares.contains(o.agent()))
                        .toList();
    }

    private static Facts recorded(
            StoreSession s,
            @Nullable String deployment,
            @Nullable List<CloudObject> inventory,
            Set<String> networks) {
        List<Rows.Instance> instances = s.instances(deployment);
        List<Rows.Disk> disks =
                Stream.concat(s.disksOf(deployment).stream(), s.orphanedDisks().stream())
                        .filter(d -> deployment == null || d.deployment().equals(deployment))
                        .toList();
        return new Facts(
                s.deployments(),
                instances,
                s.vmsOf(deployment),
                disks,
                s.ips(),
                s.openIntents(null),
                inventory == null ? null : of(s, deployment, inventory),
                Map.of(),
                Map.of(),
                deployment == null ? askedFor(s, networks) : null);
    }

    /** The networks of the current cloud configs, by the names that the cloud knows. */
    private static Set<String> askedFor(StoreSession s, Set<String> needed) {
        var names = new TreeSet<>(needed);
        s.configs("cloud", null, true, 1).stream()
                .map(config -> YamlDocument.parseConfig(config.content(), "cloud").root())
                .forEach(tree -> names.addAll(named(tree)));
        return names;
    }

    /** What stands anywhere as {@code cloud_properties: {name: …}}: rather one too many. */
    private static Set<String> named(@Nullable Object tree) {
        var names = new TreeSet<String>();
        if (tree instanceof Map<?, ?> map) {
            map.forEach((key, value) -> {
                if (key.equals("cloud_properties")
                        && value instanceof Map<?, ?> properties
                        && properties.get("name") instanceof String name) {
                    names.add(name);
                }
                names.addAll(named(value));
            });
        } else if (tree instanceof List<?> list) {
            list.forEach(value -> names.addAll(named(value)));
        }
        return names;
    }

    /**
     * Of one deployment: what is recorded for it, and what is labelled as its own and recorded for
     * nobody.
     */
    private static List<CloudObject> of(
            StoreSession s, @Nullable String deployment, List<CloudObject> all) {
        if (deployment == null) {
            return all;
        }
        Set<String> own =
                Stream.concat(
                                s.vmsOf(deployment).stream().map(v -> v.cid().value()),
                                s.disksOf(deployment).stream().map(d -> d.cid().value()))
                        .collect(Collectors.toSet());
        s.orphanedDisks().stream()
                .filter(d -> d.deployment().equals(deployment))
                .forEach(d -> own.add(d.cid().value()));
        Set<String> others =
                Stream.concat(
                                s.vmsOf(null).stream().map(v -> v.cid().value()),
                                Stream.concat(s.disksOf(null).stream(), s.orphanedDisks().stream())
                                        .map(d -> d.cid().value()))
                        .filter(cid -> !own.contains(cid))
                        .collect(Collectors.toSet());
        return all.stream()
                .filter(o -> !others.contains(o.cid()))
                .filter(o ->
                        own.contains(o.cid())
                                || o.kind() == CloudObject.Kind.NETWORK
                                || deployment.equals(o.metadata().get("deployment"))
                                || isHolder(o, own, all))
                .toList();
    }

    /** A VM that nobody knows and that holds a disk of ours concerns us, however it is labelled. */
    private static boolean isHolder(CloudObject vm, Set<String> own, List<CloudObject> all) {
        return vm.kind() == CloudObject.Kind.VM
                && all.stream()
                        .filter(d -> own.contains(d.cid()))
                        .map(CloudObject::attachedTo)
                        .filter(Objects::nonNull)
                        .anyMatch(holder -> holder.value().equals(vm.cid()));
    }

    private VmEvidence evidence(VmCid vm) {
        try {
            return hands.cpi().vmEvidence(hands.looking(), vm);
        } catch (CpiException e) {
            if (e.type() == CpiException.Type.NOT_IMPLEMENTED) {
                return VmEvidence.PRESENT;
            }
            throw e;
        }
    }

    private Facts.Heard ask(AgentId agent) {
        try {
            Object state = hands.agents().call(agent, "get_state", List.of(), QUESTION);
            return new Facts.Heard(Fields.of(state, "agent state").tree(), "");
        } catch (AgentException | IllegalArgumentException e) {
            return new Facts.Heard(null, Why.words(e));
        }
    }

    /** The instance as it is now; a repair is for what is there when it is made. */
    static Rows.@Nullable Instance instance(Hands hands, InstanceId id) {
        return hands.store().read(s -> s.instance(id)).orElse(null);
    }
}
