package dev.berth.director;

import dev.berth.cpi.CpiException;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Removes a stemcell that nothing uses. */
final class DeleteStemcellJob implements TaskJob {
    private final StemcellWork work;
    private final Fields payload;

    DeleteStemcellJob(StemcellWork work, Map<String, Object> payload) {
        this.work = work;
        this.payload = new Fields(payload, "task");
    }

    @Override
    public String run(TaskContext task) throws Exception {
        String name = payload.string("name");
        String version = payload.string("version");
        String label = name + "/" + version;
        try (Locks.Held ignored = task.lock("stemcells", List.of(name, version))) {
            work.journal().settleForRepeat(task.id());
            if (task.resumed() && work.find(name, version).isEmpty()) {
                return "/stemcells/" + label; // deleted just before the director was killed
            }
            Rows.Stemcell stemcell =
                    work.find(name, version)
                            .orElseThrow(() ->
                                    new ProblemException(
                                            50003, "Stemcell '" + label + "' doesn't exist"));
            requireUnused(name, version);
            task.log()
                    .stage("Deleting stemcell from cloud", List.of(), 1)
                    .step(label, step -> delete(task, stemcell));
        }
        return "/stemcells/" + label;
    }

    private void requireUnused(String name, String version) {
        var users =
                new ArrayList<>(
                        StemcellsApi.users(name, version, work.store().read(s -> s.deployments())));
        work.store().read(s -> s.spares()).stream()
                .filter(spare -> isOf(spare, name, version))
                .map(spare -> "vm pool " + spare.pool())
                .distinct()
                .forEach(users::add);
        if (!users.isEmpty()) {
            throw new ProblemException(
                    50004,
                    "Stemcell '"
                            + name
                            + "/"
                            + version
                            + "' is still in use by: "
                            + String.join(", ", users));
        }
    }

    private static boolean isOf(Rows.Spare spare, String name, String version) {
        Fields stemcell = Fields.of(spare.shape(), "shape").object("stemcell");
        return stemcell.string("name", "").equals(name)
                && stemcell.string("version", "").equals(version);
    }

    private void delete(TaskContext task, Rows.Stemcell stemcell) {
        work.journal()
                .perform(
                        task.id(),
                        "delete_stemcell",
                        Json.of("cid", stemcell.cid().value()),
                        intent -> {
                            task.log().cpi("delete_stemcell " + stemcell.cid());
                            try {
                                work.cpi()
                                        .deleteStemcell(
                                                work.identity().context(intent), stemcell.cid());
                            } catch (CpiException e) {
                                if (!payload.flag("force", false)) {
                                    throw e;
                                }
                                task.log().warning("ignored: " + Failures.message(e));
                            }
                            return stemcell.id();
                        },
                        (session, id) -> session.deleteStemcell(id));
    }
}
