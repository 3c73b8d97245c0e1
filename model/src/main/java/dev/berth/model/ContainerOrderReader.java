package dev.berth.model;

import dev.berth.model.ContainerOrder.Dependency;
import dev.berth.model.ContainerOrder.Healthcheck;
import dev.berth.model.ContainerOrder.Hook;
import dev.berth.model.ContainerOrder.Restart;
import dev.berth.model.ContainerOrder.Restart.Policy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads when a container starts, stops and starts again. */
record ContainerOrderReader(ContainerKeys keys) {
    private static final Pattern SIGNAL = Pattern.compile("[A-Za-z0-9+-]{1,16}");

    ContainerOrder order() {
        boolean legacy = keys.legacy();
        Long timeout = keys.integer("timeout", 1, 86_400);
        return new ContainerOrder(
                dependencies(),
                restart(),
                legacy ? null : healthcheck(),
                timeout == null ? Duration.ZERO : Duration.ofSeconds(timeout),
                keys.text("stop_signal", SIGNAL, "signal", "such as SIGINT"),
                legacy
                        ? ContainerOrder.DEFAULT.stopGracePeriod()
                        : keys.duration(
                                "stop_grace_period", ContainerOrder.DEFAULT.stopGracePeriod()),
                legacy ? List.of() : hooks("post_start"),
                legacy ? List.of() : hooks("pre_stop"));
    }

    private List<Dependency> dependencies() {
        Spot spot = keys.at("depends_on");
        var dependencies = new ArrayList<Dependency>();
        if (!spot.isMap() || keys.legacy()) {
            for (Spot item : keys.list("depends_on")) {
                String name = item.string();
                // old manifests could name the daemon, which is always there first
                if (!(keys.legacy() && name.equals("docker"))) {
                    dependencies.add(
                            new Dependency(name, Dependency.Condition.STARTED, true, true));
                }
            }
            return List.copyOf(dependencies);
        }
        Section map = spot.section();
        for (String name : map.tree().keySet()) {
            Section edge = map.section(name);
            edge.checkKeys(Set.of("condition", "restart", "required"), Map.of());
            dependencies.add(
                    new Dependency(
                            name,
                            condition(edge),
                            edge.flag("restart", true),
                            edge.flag("required", true)));
        }
        return List.copyOf(dependencies);
    }

    private static Dependency.Condition condition(Section edge) {
        return switch (edge.optionalString("condition")) {
            case null -> Dependency.Condition.STARTED;
            case "service_started" -> Dependency.Condition.STARTED;
            case "service_healthy" -> Dependency.Condition.HEALTHY;
            case "service_completed_successfully" -> Dependency.Condition.COMPLETED;
            case String other -> {
                edge.at("condition")
                        .error(
                                "'" + other + "' is no condition",
                                "service_started, service_healthy or service_completed_successfully");
                yield Dependency.Condition.STARTED;
            }
        };
    }

    // --- restart

    private Restart restart() {
        if (!keys.legacy() && keys.at("deploy").isMap()) {
            Section deploy = keys.section().section("deploy");
            if (deploy.has("restart_policy")) {
                return policy(deploy.section("restart_policy"));
            }
        }
        Spot spot = keys.at("restart");
        if (spot.value() == null) {
            return Restart.DEFAULT;
        }
        // unquoted, no is false in YAML 1.1
        String text = Boolean.FALSE.equals(spot.value()) ? "no" : spot.string();
        if (text.matches("on-failure:\\d{1,6}")) {
            return new Restart(
                    Policy.ON_FAILURE, Integer.parseInt(text.substring(text.indexOf(':') + 1)));
        }
        return switch (text) {
            case "no" -> new Restart(Policy.NO, 0);
            case "always" -> new Restart(Policy.ALWAYS, 0);
            case "on-failure" -> new Restart(Policy.ON_FAILURE, 0);
            case "unless-stopped" -> new Restart(Policy.UNLESS_STOPPED, 0);
            case "" -> Restart.DEFAULT;
            default -> {
                spot.error(
                        "'" + text + "' is no restart policy",
                        "no, always, on-failure, on-failure:5 or unless-stopped");
                yield Restart.DEFAULT;
            }
        };
    }

    /** {@code deploy.restart_policy}, which wins over {@code restart}. */
    private static Restart policy(Section section) {
        section.checkKeys(Set.of("condition", "delay", "max_attempts", "window"), Map.of());
        var policy = new ContainerKeys(section, false);
        Long attempts = policy.integer("max_attempts", 0, 1_000_000);
        Spot spot = section.at("condition");
        String condition = Boolean.FALSE.equals(spot.value()) ? "none" : policy.text("condition");
        Policy when =
                switch (condition) {
                    case null -> Policy.ALWAYS;
                    case "any" -> Policy.ALWAYS;
                    case "on-failure" -> Policy.ON_FAILURE;
                    case "none" -> Policy.NO;
                    case String other -> {
                        spot.error("'" + other + "' is no condition", "any, on-failure or none");
                        yield Policy.ALWAYS;
                    }
                };
        return new Restart(
                when,
                attempts == null ? 0 : attempts.intValue(),
                policy.duration("delay", Duration.ZERO),
                policy.duration("window", Duration.ZERO));
    }

    // --- health

    private @Nullable Healthcheck healthcheck() {
        if (!keys.has("healthcheck")) {
            return null;
        }
        ContainerKeys check = keys.below("healthcheck");
        check.section()
                .checkKeys(
                        Set.of(
                                "test",
                                "interval",
                                "timeout",
                                "retries",
                                "start_period",
                                "start_interval",
                                "disable"),
                        Map.of());
        if (check.flag("disable")) {
            return new Healthcheck(List.of("NONE"), Duration.ZERO, Duration.ZERO, 0, Duration.ZERO);
        }
        Long retries = check.integer("retries", 0, 10_000);
        return new Healthcheck(
                test(check),
                check.duration("interval", Duration.ZERO),
                check.duration("timeout", Duration.ZERO),
                retries == null ? 0 : retries.intValue(),
                check.duration("start_period", Duration.ZERO),
                check.duration("start_interval", Duration.ZERO));
    }

    private static List<String> test(ContainerKeys check) {
        if (!check.has("test")) {
            return List.of(); // the image's own test, with other times
        }
        Spot spot = check.at("test");
        if (!spot.isList()) {
            return List.of("CMD-SHELL", check.dollars(spot.string()));
        }
        List<String> test =
                spot.items().stream().map(s -> check.dollars(ContainerKeys.textOf(s))).toList();
        if (test.isEmpty() || !Set.of("NONE", "CMD", "CMD-SHELL").contains(test.getFirst())) {
            spot.error("a list must begin with NONE, CMD or CMD-SHELL", null);
        }
        return test;
    }

    private List<Hook> hooks(String key) {
        var hooks = new ArrayList<Hook>();
        for (Section section : keys.section().sections(key)) {
            section.checkKeys(
                    Set.of("command", "user", "privileged", "working_dir", "environment"),
                    Map.of());
            var hook = new ContainerKeys(section, false);
            List<String> command = hook.command("command");
            if (command == null || command.isEmpty()) {
                section.spot().error("a hook needs a 'command'", null);
                continue;
            }
            hooks.add(
                    new Hook(
                            command,
                            hook.text("user"),
                            hook.text("working_dir"),
                            hook.flag("privileged"),
                            Collections.unmodifiableMap(hook.pairs("environment"))));
        }
        return List.copyOf(hooks);
    }
}
