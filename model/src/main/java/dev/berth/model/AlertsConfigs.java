package dev.berth.model;

import dev.berth.model.AlertsConfig.Filter;
import dev.berth.model.AlertsConfig.Sink;
import dev.berth.model.AlertsConfig.Target;
import dev.berth.model.AlertsConfig.Timing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads configs of type {@code alerts}, telling all that is wrong with one at once. */
public final class AlertsConfigs {
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}");
    private static final int MOST_SINKS = 50;
    private static final int MOST_PATTERNS = 200;

    private static final Map<String, Integer> SEVERITIES =
            new LinkedHashMap<>(Map.of("alert", 1, "critical", 2, "error", 3, "warning", 4));

    private AlertsConfigs() {}

    /**
     * Reads a config with the values of its variables, whose names must be absolute: {@link
     * Interpolation#absoluteOnly}. Secrets must be variables: every user may read a config.
     *
     * @throws ProblemException with every problem found
     */
    public static AlertsConfig parse(YamlDocument document, Interpolation variables) {
        var findings = new Findings();
        var secrets =
                new Section(
                        document.tree(), new Spot(document.root(), "", document.mark(), findings));
        for (Section sink : sinks(secrets)) {
            AlertTargets.requireSealed(sink);
        }
        Section root = Section.root(variables.early(document, List.of(), findings), findings);
        root.checkKeys(Set.of("sinks", "timing"), Map.of());
        var sinks = new ArrayList<Sink>();
        var names = new HashSet<String>();
        for (Section section : sinks(root)) {
            Sink sink = sink(section);
            if (sink != null && !names.add(sink.name())) {
                section.at("name").error("'" + sink.name() + "' is there twice", "rename one");
            } else if (sink != null) {
                sinks.add(sink);
            }
        }
        Timing timing = timing(root.section("timing"));
        findings.throwIfAny();
        return new AlertsConfig(List.copyOf(sinks), timing, findings.warnings());
    }

    private static List<Section> sinks(Section root) {
        List<Section> sections = root.sections("sinks");
        if (sections.size() <= MOST_SINKS) {
            return sections;
        }
        root.at("sinks").error("more than " + MOST_SINKS + " sinks", "join some of them");
        return List.of();
    }

    private static @Nullable Sink sink(Section section) {
        String name = section.string("name");
        if (!name.isEmpty() && !NAME.matcher(name).matches()) {
            section.at("name")
                    .error(
                            "'" + name + "' is no name of a sink",
                            "letters, digits, '.', '_' and '-', at most 63");
        }
        Filter filter = filter(section);
        Target target = AlertTargets.read(section, Set.of("severity", "deployments", "groups"));
        return target == null || name.isEmpty() ? null : new Sink(name, filter, target);
    }

    private static Filter filter(Section section) {
        int severity = 4;
        if (section.has("severity")) {
            Spot spot = section.at("severity");
            String written = spot.isScalar() ? spot.text() : "";
            Integer known = SEVERITIES.get(written);
            if (known != null) {
                severity = known;
            } else if (written.matches("[1-4]")) {
                severity = Integer.parseInt(written);
            } else {
                spot.error(
                        "'severity' is one of alert, critical, error, warning: this one and"
                                + " whatever is worse",
                        Nearest.of(written, SEVERITIES.keySet())
                                .map(k -> "did you mean '" + k + "'?")
                                .orElse("leave it out to be told of all"));
            }
        }
        return new Filter(severity, patterns(section, "deployments"), patterns(section, "groups"));
    }

    private static List<String> patterns(Section section, String key) {
        List<String> patterns = section.strings(key);
        if (patterns.size() > MOST_PATTERNS) {
            section.at(key).error("more than " + MOST_PATTERNS + " names", "use '*' in them");
            return List.of();
        }
        for (Spot spot : section.items(key)) {
            if (spot.isScalar() && (spot.text().isEmpty() || spot.text().length() > 255)) {
                spot.error("a name is 1 to 255 characters", null);
            }
        }
        return List.copyOf(new LinkedHashSet<>(patterns));
    }

    private static Timing timing(Section section) {
        section.checkKeys(
                Set.of(
                        "settle",
                        "group_from",
                        "group_within",
                        "update_every",
                        "flap_times",
                        "flap_within",
                        "flap_quiet"),
                Map.of());
        Timing usual = Timing.DEFAULT;
        return new Timing(
                seconds(section, "settle", usual.settle(), 0, 600),
                (int) number(section, "group_from", usual.groupFrom(), 2, 100_000),
                seconds(section, "group_within", usual.groupWithin(), 0, 3600),
                seconds(section, "update_every", usual.updateEvery(), 1, 86_400),
                (int) number(section, "flap_times", usual.flapTimes(), 2, 100),
                seconds(section, "flap_within", usual.flapWithin(), 1, 86_400),
                seconds(section, "flap_quiet", usual.flapQuiet(), 1, 86_400));
    }

    static Duration seconds(
            Section section, String key, Duration otherwise, long least, long most) {
        return Duration.ofSeconds(number(section, key, otherwise.toSeconds(), least, most));
    }

    static long number(Section section, String key, long otherwise, long least, long most) {
        if (!section.has(key)) {
            return otherwise;
        }
        Spot spot = section.at(key);
        if (!(spot.value() instanceof Number)) {
            spot.wrongType("Integer");
            return otherwise;
        }
        long value = spot.integer();
        if (value < least || value > most) {
            spot.error("'" + key + "' is " + value, "give a number from " + least + " to " + most);
            return otherwise;
        }
        return value;
    }
}
