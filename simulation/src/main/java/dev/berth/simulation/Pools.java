package dev.berth.simulation;

import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.IntentId;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import dev.berth.testkit.FakeCpi;
import dev.berth.testkit.FakeVm;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/** The pools of spare VMs that an operator wants, and what must hold of them. */
final class Pools {
    /** Of a VM type and a stemcell's version. */
    record Pool(String vmType, String stemcell, int size) {
        String name() {
            return vmType + "-" + stemcell;
        }
    }

    /** As {@link Rules} notes it. */
    interface Check {
        void that(String rule, boolean holds, String what);
    }

    private final World world;
    private final Check check;
    private List<Pool> wished = List.of();

    Pools(World world, Check check) {
        this.world = world;
        this.check = check;
    }

    /** A config of its own: what is deployed is not deployed against another one for it. */
    void wish(List<Pool> pools) {
        wished = pools;
        var text = new StringBuilder("vm_pools:");
        pools.forEach(p ->
                text.append(
                        "\n- {name: %s, size: %d, vm_type: %s, stemcell: {name: berth-debian, version: \"%s\"}}"
                                .formatted(p.name(), p.size(), p.vmType(), p.stemcell())));
        if (pools.isEmpty()) {
            text.append(" []");
        }
        world.trace.say("== " + text);
        world.database.update(
                s -> s.saveConfig("cloud", "pools", text.toString(), world.clock.now()));
    }

    /** The config went with the store, and no agent has kept it. */
    void forgotten() {
        wished = List.of();
    }

    static List<Pool> random(Random random) {
        int size = random.nextInt(4);
        return switch (random.nextInt(4)) {
            case 0 -> List.of(new Pool("small", "1", size), new Pool("large", "1", 1));
            case 1 -> List.of(new Pool("small", "latest", size));
            case 2 -> List.of(new Pool("small", "1", size), new Pool("small", "2", 1));
            default -> List.of(new Pool("small", "1", size));
        };
    }

    private List<Rows.Spare> spares() {
        return world.database.read(StoreSession::spares);
    }

    boolean areFull() {
        Map<String, Integer> sizes = sizes();
        List<Rows.Spare> spares = spares();
        return sizes.equals(ready(spares))
                && spares.stream()
                        .allMatch(s -> s.is(Rows.Spare.READY) && world.agents.reachable(s.agent()))
                && world.unfinished().isEmpty();
    }

    private Map<String, Integer> sizes() {
        var sizes = new LinkedHashMap<String, Integer>();
        if (world.cloud.givesAddresses()) {
            wished.stream().filter(p -> p.size() > 0).forEach(p -> sizes.put(p.name(), p.size()));
        }
        return sizes;
    }

    private static Map<String, Integer> ready(List<Rows.Spare> spares) {
        return spares.stream()
                .collect(Collectors.groupingBy(Rows.Spare::pool, Collectors.summingInt(s -> 1)));
    }

    // --- rules

    /** What a pool gives up must be nobody's, whatever the store says by then. */
    void deletion(FakeCpi.Call call) {
        var id = new IntentId(call.context().requestId());
        world.database.read(s -> {
            s.openIntents(null).stream()
                    .filter(i -> i.id().equals(id) && i.kind().equals("delete spare"))
                    .map(i -> new AgentId(Fields.of(i.payload(), "intent").string("agent")))
                    .forEach(agent -> {
                        String instance = world.agents.vm(agent).map(FakeVm::instance).orElse("");
                        check.that(
                                "pool",
                                s.vm(agent).isEmpty() && instance.isEmpty(),
                                "spare VM of " + agent + " is deleted, and is " + instance + "'s");
                    });
            return true;
        });
    }

    /** At each beat: a VM is a pool's or an instance's. */
    void sweep(StoreSession s) {
        Set<AgentId> owned = s.vmsOf(null).stream().map(Rows.Vm::agent).collect(Collectors.toSet());
        for (Rows.Spare spare : s.spares()) {
            check.that(
                    "pool",
                    spare.is(Rows.Spare.TAKEN) || !owned.contains(spare.agent()),
                    spare + " has two owners");
            String instance = world.agents.vm(spare.agent()).map(FakeVm::instance).orElse("");
            check.that(
                    "pool",
                    spare.is(Rows.Spare.TAKEN) || instance.isEmpty(),
                    spare + " was told to be " + instance);
        }
        long cids = s.vmsOf(null).stream().map(Rows.Vm::cid).distinct().count();
        check.that("pool", cids == s.vmsOf(null).size(), "a VM has two instances");
    }

    /** At rest a pool has its size, each with an address, and no row is left of those taken. */
    void atRest(StoreSession s) {
        List<Rows.Spare> spares = s.spares();
        check.that("pool", sizes().equals(ready(spares)), "wished " + sizes() + ", is " + spares);
        for (Rows.Spare spare : spares) {
            List<String> held =
                    s.ips().stream()
                            .filter(ip -> ip.instance().value().equals(spare.agent().value()))
                            .map(Rows.Ip::address)
                            .toList();
            List<String> real =
                    world.ownVms().stream()
                            .filter(v -> v.cid().equals(spare.cid()))
                            .map(v -> Fields.of(v.networks(), "n").object("default").string("ip"))
                            .toList();
            check.that(
                    "pool",
                    spare.is(Rows.Spare.READY) && held.equals(real) && held.size() == 1,
                    spare + " has " + real + ", recorded " + held);
        }
    }
}
