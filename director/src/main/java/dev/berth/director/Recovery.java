package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code berth recover}: fills a new store with what cloud and agents know. Asks only, and writes
 * only the store: no container stops. Run before anything else that goes by the store.
 */
final class Recovery {
    private static final System.Logger LOG = System.getLogger(Recovery.class.getName());
    private static final Duration QUESTION = Duration.ofSeconds(5);

    /** Agents find a bus that was away for long again within half a minute. */
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private static final int AT_ONCE = 32;

    private final Hands hands;
    private final SecretBox box;
    private final RecordKeeper keeper;

    Recovery(Hands hands, SecretBox box) {
        this.hands = hands;
        this.box = box;
        this.keeper = new RecordKeeper(hands, box);
    }

    /**
     * @return the report: what was rebuilt, and what could not be
     * @throws IOException the store is in use, or no record of the agents opens with the key there
     *     is
     */
    Map<String, Object> run() throws Exception {
        boolean used =
                hands.store().read(s -> !s.deployments().isEmpty() || !s.vmsOf(null).isEmpty());
        if (used) {
            throw new IOException("the store has deployments: there is nothing to recover");
        }
        List<CloudObject> inventory = hands.cpi().inventory(hands.looking());
        List<AgentId> agents =
                inventory.stream()
                        .map(CloudObject::agent)
                        .filter(Objects::nonNull)
                        .map(AgentId.class::cast)
                        .toList();
        hands.door().reset(agents);
        Map<AgentId, RecoveryPlan.Told> told = ask(agents);
        refuseOtherKey(told);
        RecoveryPlan plan =
                RecoveryPlan.of(inventory, told, hands.directorUuid(), hands.clock().now());
        hands.store().update(s -> write(s, plan));
        for (InstanceRecord.Shared shared : plan.deployments()) {
            // Ids of rows are others now: the agents get what the next loss would need.
            keeper.hand(
                    shared.deployment().name(),
                    () -> false,
                    words -> LOG.log(System.Logger.Level.WARNING, words));
        }
        hands.trail()
                .record(
                        AuditTrail.Entry.of(
                                "recover", "recover", "director", hands.directorName()));
        return report(plan);
    }

    private Map<AgentId, RecoveryPlan.Told> ask(List<AgentId> agents) throws Exception {
        var told = new ConcurrentHashMap<AgentId, RecoveryPlan.Told>();
        Instant end = hands.clock().now().plus(PATIENCE);
        hands.parallel().forEach(agents, AT_ONCE, agent -> told.put(agent, ask(agent, end)));
        return told;
    }

    private RecoveryPlan.Told ask(AgentId agent, Instant end) throws InterruptedException {
        while (true) {
            try {
                Object state = hands.agents().call(agent, "get_state", List.of(), QUESTION);
                return record(agent, Fields.of(state, "agent state").tree());
            } catch (AgentException e) {
                if (!hands.clock().now().isBefore(end)) {
                    return new RecoveryPlan.Told(null, Map.of(), "its agent does not answer");
                }
                hands.clock().sleep(Duration.ofMillis(200));
            }
        }
    }

    private RecoveryPlan.Told record(AgentId agent, Map<String, Object> state) {
        try {
            Object answer = hands.agents().call(agent, "get_record", List.of(), QUESTION);
            String sealed = Fields.of(answer, "record").optionalString("record");
            return sealed == null
                    ? new RecoveryPlan.Told(null, state, "its agent keeps no record")
                    : new RecoveryPlan.Told(InstanceRecord.unseal(box, sealed), state, "");
        } catch (AgentException e) {
            if (e.kind() == AgentException.Kind.TIMEOUT) {
                throw e;
            }
            return new RecoveryPlan.Told(null, state, "its agent gives no record: " + Why.words(e));
        } catch (IllegalStateException e) {
            return new RecoveryPlan.Told(null, state, OTHER_KEY);
        } catch (IllegalArgumentException e) {
            return new RecoveryPlan.Told(null, state, "its record is damaged: " + e.getMessage());
        }
    }

    private static final String OTHER_KEY = "its record was sealed with another key";

    /** To go on would make a store in which every secret is made anew. */
    private static void refuseOtherKey(Map<AgentId, RecoveryPlan.Told> told) throws IOException {
        boolean some = told.values().stream().anyMatch(t -> t.record() != null);
        boolean other = told.values().stream().anyMatch(t -> t.error().equals(OTHER_KEY));
        if (other && !some) {
            throw new IOException(
                    "the agents' records were sealed with another key than director/key; put the"
                            + " key back from your copy, then run berth recover again");
        }
    }

    // --- writing

    private void write(StoreSession s, RecoveryPlan plan) {
        Instant now = hands.clock().now();
        for (InstanceRecord.Shared shared : plan.deployments()) {
            shared.stemcells().forEach(s::saveStemcell);
            var ids = new ArrayList<Long>();
            int used = shared.used();
            // Those in use last: each is the current one of its name then.
            shared.configs()
                    .subList(used, shared.configs().size())
                    .reversed()
                    .forEach(c -> save(s, c, now));
            shared.configs().subList(0, used).forEach(c -> ids.add(save(s, c, now).id()));
            Rows.Deployment d = shared.deployment();
            s.saveDeployment(
                    new Rows.Deployment(
                            d.name(),
                            d.manifest(),
                            ids,
                            d.stemcells(),
                            d.releases(),
                            d.tags(),
                            d.createdAt()));
            for (Rows.Variable v : shared.variables()) {
                if (s.variable(v.name()).isEmpty()) {
                    s.addVariable(v.name(), v.type(), v.sealed(), v.createdAt());
                }
            }
        }
        for (InstanceRecord.Part part : plan.instances()) {
            s.saveInstance(part.instance());
            part.vms().forEach(s::saveVm);
            part.disks().forEach(s::saveDisk);
            part.ips().forEach(s::reserveIp);
        }
        plan.orphans().forEach(s::saveDisk);
        for (RecoveryPlan.Spare spare : plan.spares()) {
            s.saveSpare(spare.row());
            for (Rows.Ip ip : spare.ips()) {
                boolean ignored = s.reserveSpareIp(spare.row().agent(), ip.network(), ip.address());
            }
        }
    }

    private static Rows.Config save(StoreSession s, Rows.Config c, Instant now) {
        return s.saveConfig(c.type(), c.name(), c.content(), now);
    }

    private static Map<String, Object> report(RecoveryPlan plan) {
        var notes = plan.notes().stream().map(RecoveryPlan.Note::toTree).toList();
        var report =
                new LinkedHashMap<>(
                        Json.of(
                                "deployments",
                                plan.deployments().size(),
                                "instances",
                                plan.instances().size(),
                                "vms",
                                plan.instances().stream().mapToInt(p -> p.vms().size()).sum(),
                                "disks",
                                plan.instances().stream().mapToInt(p -> p.disks().size()).sum(),
                                "orphaned_disks",
                                plan.orphans().size(),
                                "notes",
                                notes));
        LOG.log(System.Logger.Level.INFO, "store=recovered {0}", Json.write(report));
        return report;
    }

    /** For a store that is new while VMs of this director run: it was lost. Null: it was not. */
    static @Nullable String lost(Hands hands, String file) {
        long vms =
                hands.cpi().inventory(hands.looking()).stream()
                        .filter(o -> o.kind() == CloudObject.Kind.VM)
                        .count();
        return vms == 0
                ? null
                : "the store "
                        + file
                        + " was not there, and "
                        + vms
                        + " VMs of this environment are: it was lost. Rebuild it from what runs:"
                        + " berth recover; or put it back from a copy";
    }
}
