package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.RegistryLogin;
import dev.berth.planner.Desired;
import dev.berth.store.Rows;
import java.util.List;

/**
 * Reads what is wished: manifest, configs, variables and stemcells become what the planner and the
 * executor need.
 */
interface DeploymentReader {
    /**
     * @param wish payload of {@code update_deployment}
     * @param generate whether missing variables may be generated
     * @throws dev.berth.model.ProblemException everything that is wrong, at once
     */
    Reading read(Fields wish, TaskLog log, boolean generate);

    /** The manifest deployed last with the configs it was deployed with. */
    Reading readDeployed(String deployment, TaskLog log);

    /**
     * @param deployed the row to save when all of it has been made so
     * @param registries how registries outside of the environment are reached; with credentials, so
     *     for the run of the task only
     */
    record Reading(
            Desired desired,
            DeployScope scope,
            Rows.Deployment deployed,
            List<RegistryLogin> registries) {

        /** Every container, and the group it is of. */
        List<ImagePins.Use> images() {
            return scope.groups().entrySet().stream()
                    .flatMap(g ->
                            g.getValue().containers().stream()
                                    .map(c -> new ImagePins.Use(g.getKey(), c)))
                    .toList();
        }
    }
}
