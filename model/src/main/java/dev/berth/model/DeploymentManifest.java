package dev.berth.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A deployment as an operator wants it.
 *
 * @param update of groups that have none of their own
 * @param registries how registries outside of the environment are reached; raw until {@link
 *     #interpolated}
 * @param source the document as it was sent, placeholders and all: what is stored and compared
 * @param warnings what is odd but does not stop a deploy
 */
public record DeploymentManifest(
        String name,
        List<ReleaseRef> releases,
        List<StemcellRef> stemcells,
        UpdatePolicy update,
        List<InstanceGroup> instanceGroups,
        List<VariableDefinition> variables,
        List<RegistryLogin> registries,
        Map<String, String> tags,
        YamlDocument source,
        List<Problem> warnings) {

    public Optional<InstanceGroup> group(String name) {
        return instanceGroups.stream().filter(g -> g.name().equals(name)).findFirst();
    }

    public Optional<StemcellRef> stemcell(String alias) {
        return stemcells.stream().filter(s -> s.alias().equals(alias)).findFirst();
    }

    /**
     * The same with the values of variables in the groups' {@code env}, containers and the
     * registries' credentials: for the moment of use only, never to be stored or printed (rule R8).
     *
     * @throws ProblemException with every placeholder that cannot be resolved
     */
    public DeploymentManifest interpolated(Interpolation variables) {
        var findings = new Findings();
        List<InstanceGroup> resolved =
                instanceGroups.stream()
                        .map(g ->
                                g.with(
                                        Json.asObject(
                                                variables.resolve(
                                                        g.env(), g.place() + ".env", findings)),
                                        g.containers().stream()
                                                .map(c -> variables.resolve(c, g, findings))
                                                .toList(),
                                        g.daemonWish().settings(variables, findings)))
                        .toList();
        List<RegistryLogin> logins = new ArrayList<>();
        for (int i = 0; i < registries.size(); i++) {
            logins.add(variables.resolve(registries.get(i), "registries[" + i + "]", findings));
        }
        findings.throwIfAny();
        return new DeploymentManifest(
                name,
                releases,
                stemcells,
                update,
                resolved,
                variables(),
                List.copyOf(logins),
                tags,
                source,
                warnings);
    }

    /** Name only: values of containers may be secrets (rule R8). */
    @Override
    public String toString() {
        return "DeploymentManifest[" + name + "]";
    }
}
