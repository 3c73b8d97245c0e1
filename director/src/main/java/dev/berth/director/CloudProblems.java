package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.util.List;
import java.util.Set;

/**
 * The open problems of each deployment, as its last scan found them. What became of closed ones is
 * in the tasks and events. Thread-safe as the store is.
 */
final class CloudProblems {
    private static final String NEXT = "problems_next";

    private final Store store;

    CloudProblems(Store store) {
        this.store = store;
    }

    private static String key(String deployment) {
        return "problems/" + deployment;
    }

    /** Oldest first. */
    List<CloudProblem> open(String deployment) {
        return store.read(s -> open(s, deployment));
    }

    private static List<CloudProblem> open(StoreSession s, String deployment) {
        return Json.asList(Json.parse(s.setting(key(deployment)).orElse("[]"))).stream()
                .map(tree -> CloudProblem.read(Fields.of(tree, "problem")))
                .map(p -> s.instance(p.instance()).isEmpty() ? p.invalid() : p)
                .toList();
    }

    /** Those of before are closed. */
    List<CloudProblem> replace(String deployment, Facts facts, List<Finding> findings) {
        return store.write(s -> {
            long next = Long.parseLong(s.setting(NEXT).orElse("1"));
            List<CloudProblem> found = CloudProblem.of(facts, findings, next);
            s.putSetting(NEXT, String.valueOf(next + found.size()));
            save(s, deployment, found);
            return found;
        });
    }

    void resolved(String deployment, Set<Long> ids) {
        store.update(s ->
                save(
                        s,
                        deployment,
                        open(s, deployment).stream().filter(p -> !ids.contains(p.id())).toList()));
    }

    private static void save(StoreSession s, String deployment, List<CloudProblem> problems) {
        s.putSetting(
                key(deployment), Json.write(problems.stream().map(CloudProblem::kept).toList()));
    }
}
