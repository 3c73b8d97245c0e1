package dev.berth.acceptance;

import dev.berth.engine.Engine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The log of the agent in a VM, at the level at which it tells of its looks. */
final class AgentLog {
    private static final Pattern LOOK = Pattern.compile("look containers=\\d+ micros=(\\d+)");
    private static final Pattern TURN =
            Pattern.compile("turn containers=\\d+ micros=(\\d+) steps=0");

    private static final String SWITCH =
            """
            set -e
            printf '%s\\n' handlers=java.util.logging.ConsoleHandler .level=INFO \
                dev.berth.supervisor.Supervisor.level=FINE > /var/vcap/bosh/agent/bench.properties
            echo -Djava.util.logging.config.file=/var/vcap/bosh/agent/bench.properties \
                >> /var/vcap/bosh/agent/jvm.options
            """;

    private final Engine engine;
    private final BenchVm vm;

    AgentLog(Engine engine, BenchVm vm) {
        this.engine = engine;
        this.vm = vm;
    }

    /** Milliseconds of one look that led to nothing: the look itself, and the decision after it. */
    record Look(double look, double turn) {}

    /** Starts the agent anew at that level. */
    void tellOfLooks() {
        run(SWITCH);
        long old = vm.agentPid();
        ProcessHandle.of(old).orElseThrow().destroyForcibly();
        BenchTools.await("the agent", 60, 50, () -> vm.agentPid() != old);
    }

    /** In order. */
    List<Look> looks() {
        var looks = new ArrayList<Look>();
        double look = -1;
        for (String line : run("cat /var/vcap/bosh/log/agent.0.log").lines().toList()) {
            Matcher found = LOOK.matcher(line);
            Matcher decided = TURN.matcher(line);
            if (found.find()) {
                look = Long.parseLong(found.group(1)) / 1000.0;
            } else if (decided.find() && look >= 0) {
                looks.add(new Look(look, Long.parseLong(decided.group(1)) / 1000.0));
                look = -1;
            }
        }
        return looks;
    }

    private String run(String script) {
        var result =
                engine.exec(vm.id(), List.of("sh", "-c", script), Map.of(), Duration.ofSeconds(20));
        if (result.exitCode() != 0) {
            throw new BenchException("in the VM: " + result.stderr());
        }
        return result.stdout();
    }
}
