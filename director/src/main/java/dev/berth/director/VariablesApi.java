package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.ProblemException;
import java.io.IOException;

/**
 * {@code PUT /variables}: a person gives a variable its value, which is kept sealed. Body: {@code
 * {"name", "value", "deployment"}}; the deployment is for names that do not begin with a slash.
 */
final class VariablesApi {
    /** Kept in the type's place, as generated ones have {@code password} or {@code certificate}. */
    private static final String TYPE = "value";

    private static final int LONGEST = 512 * 1024;

    private final Variables variables;
    private final AuditTrail trail;
    private final Runnable changed;

    /**
     * @param changed is told when a variable has another value
     */
    VariablesApi(Variables variables, AuditTrail trail, Runnable changed) {
        this.variables = variables;
        this.trail = trail;
        this.changed = changed;
    }

    void addTo(Router router) {
        router.on("PUT", "/variables", "application/json", Access.ADMIN, this::set);
    }

    private Reply set(Call call) throws IOException {
        Fields body = call.json();
        String name = body.string("name", "");
        String deployment = body.string("deployment", "");
        String value = body.string("value", "");
        if (!name.matches("/?[a-zA-Z0-9_-]+(/[a-zA-Z0-9_-]+)*") || name.length() > 250) {
            throw new ProblemException(
                    540004,
                    "'"
                            + name
                            + "' is no name of a variable: letters, digits, '_', '-', parted by '/'");
        }
        if (!name.startsWith("/") && !deployment.matches("[-0-9A-Za-z_+.]{1,100}")) {
            throw new ProblemException(
                    540004,
                    "'"
                            + name
                            + "' is of a deployment: name that one, or begin the name with '/' for"
                            + " one of all deployments");
        }
        if (value.isEmpty() || value.length() > LONGEST) {
            throw new ProblemException(
                    540004, "The value of '" + name + "' is empty, or longer than 512 KiB");
        }
        String absolute = variables.absolute(deployment, name);
        variables.set(absolute, TYPE, value);
        trail.record(AuditTrail.Entry.of(call.userName(), "update", "variable", absolute));
        changed.run();
        return new Reply.Empty(204);
    }
}
