package dev.berth.director;

import dev.berth.model.CloudConfig;
import dev.berth.model.CloudConfigs;
import dev.berth.model.Interpolation;
import dev.berth.model.Json;
import dev.berth.model.Network;
import dev.berth.model.ProblemException;
import dev.berth.model.StemcellRef;
import dev.berth.model.YamlDocument;
import dev.berth.planner.Step;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads from the current cloud configs which pools of spare VMs there should be. Thread-safe. */
final class PoolWishes {
    private final Variables variables;

    /** The texts last read and what they came to: nearly always they are the same again. */
    private record Known(List<String> texts, CloudConfig config) {}

    private volatile Known known = new Known(List.of(), CloudConfig.EMPTY);

    PoolWishes(Variables variables) {
        this.variables = variables;
    }

    /**
     * @param problems why a pool cannot be filled, by its name: what it has is left as it is
     * @param readable false: the cloud configs do not go together, and nobody can say what is
     *     wished
     */
    record Read(List<PoolWish> pools, Map<String, String> problems, boolean readable) {}

    Read read(StoreSession session) {
        List<String> texts =
                session.configs("cloud", null, true, 1).stream().map(Rows.Config::content).toList();
        CloudConfig config;
        try {
            config = config(texts);
        } catch (ProblemException e) {
            return new Read(List.of(), Map.of(), false);
        }
        if (config.vmPools().isEmpty()) {
            return new Read(List.of(), Map.of(), true);
        }
        var pools = new ArrayList<PoolWish>();
        var problems = new LinkedHashMap<String, String>();
        List<Rows.Stemcell> stemcells = session.stemcells();
        for (CloudConfig.VmPool pool : config.vmPools()) {
            try {
                pools.add(wish(config, pool, stemcells));
            } catch (ProblemException e) {
                problems.put(pool.name(), Failures.message(e));
            }
        }
        return new Read(pools, problems, true);
    }

    private CloudConfig config(List<String> texts) {
        Known last = known;
        if (last.texts().equals(texts)) {
            return last.config();
        }
        CloudConfig config =
                CloudConfigs.parse(
                        CloudConfigs.merged(
                                texts.stream()
                                        .map(t -> YamlDocument.parseConfig(t, "cloud"))
                                        .toList()));
        known = new Known(texts, config);
        return config;
    }

    private PoolWish wish(
            CloudConfig config, CloudConfig.VmPool pool, List<Rows.Stemcell> stemcells) {
        Rows.Stemcell stemcell = stemcell(pool, stemcells);
        Object properties =
                Interpolation.absoluteOnly(variables).resolve(config.vmCloudProperties(pool));
        return new PoolWish(
                pool.name(),
                pool.size(),
                pool.vmType(),
                pool.az(),
                (Network.Manual) config.network(pool.network()).orElseThrow(),
                new Step.VmShape(
                        "",
                        stemcell.name() + "/" + stemcell.version(),
                        stemcell.cid().value(),
                        stemcell.apiVersion(),
                        Json.asObject(properties),
                        pool.env(),
                        Map.of()));
    }

    private static Rows.Stemcell stemcell(CloudConfig.VmPool pool, List<Rows.Stemcell> stemcells) {
        List<StemcellRef.Available> available =
                stemcells.stream()
                        .map(s ->
                                new StemcellRef.Available(
                                        s.name(), s.operatingSystem(), s.version()))
                        .toList();
        Optional<StemcellRef.Available> found = pool.stemcell().resolve(available);
        return stemcells.stream()
                .filter(s ->
                        found.isPresent()
                                && s.name().equals(found.get().name())
                                && s.version().equals(found.get().version()))
                .findFirst()
                .orElseThrow(() -> new ProblemException(50003, pool.stemcell().missing(available)));
    }
}
