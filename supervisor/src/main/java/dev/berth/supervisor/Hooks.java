package dev.berth.supervisor;

import dev.berth.engine.Engine;
import dev.berth.engine.EngineException;
import dev.berth.model.ContainerOrder.Hook;
import dev.berth.model.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Runs the hooks of containers, in order. What they print may be secret and is told nowhere. */
final class Hooks {
    private final Engine engine;

    Hooks(Engine engine) {
        this.engine = engine;
    }

    /**
     * Runs hooks until one fails or the time is over.
     *
     * @return what went wrong; null when all went well
     */
    @Nullable String run(String id, List<Hook> hooks, Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        for (int i = 0; i < hooks.size(); i++) {
            Duration left = Duration.ofNanos(end - System.nanoTime());
            String which = "hook " + (i + 1) + " of " + hooks.size();
            if (!left.isPositive()) {
                return which + " had no time left of " + limit.toSeconds() + " s";
            }
            try {
                int code = engine.exec(id, body(hooks.get(i)), left).exitCode();
                if (code != 0) {
                    return which + " ended with " + code;
                }
            } catch (EngineException e) {
                return which + " did not end well: " + e.getMessage();
            }
        }
        return null;
    }

    private static Map<String, Object> body(Hook hook) {
        Map<String, Object> body =
                Json.of("AttachStdout", true, "AttachStderr", true, "Cmd", hook.command());
        var environment = new ArrayList<String>();
        hook.environment().forEach((name, value) -> environment.add(name + "=" + value));
        CreateBody.putFilled(body, "Env", environment);
        CreateBody.putIf(body, "User", hook.user());
        CreateBody.putIf(body, "WorkingDir", hook.workingDir());
        CreateBody.putIf(body, "Privileged", hook.privileged() ? true : null);
        return body;
    }
}
