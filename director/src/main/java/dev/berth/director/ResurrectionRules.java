package dev.berth.director;

import dev.berth.model.ProblemException;
import dev.berth.model.YamlDocument;
import dev.berth.store.Rows;
import dev.berth.store.StoreSession;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which instances the operator wants repaired: all rules of all configs of type {@code
 * resurrection}. A rule applies where {@code include} matches and {@code exclude} does not; one
 * that applies and says {@code enabled: false} bars the repair. Immutable.
 */
final class ResurrectionRules {
    static final String TYPE = "resurrection";

    private static final int BAD_CONFIG = 440011;
    private static final int MOST_CONFIGS = 1000;
    private static final int MOST_RULES = 1000;

    private record Match(List<String> deployments, List<String> groups) {
        boolean covers(String deployment, String group) {
            return (deployments.isEmpty() || deployments.contains(deployment))
                    && (groups.isEmpty() || groups.contains(group));
        }

        boolean isEmpty() {
            return deployments.isEmpty() && groups.isEmpty();
        }
    }

    private record Rule(String config, boolean enabled, Match include, Match exclude) {
        boolean applies(String deployment, String group) {
            return include.covers(deployment, group)
                    && (exclude.isEmpty() || !exclude.covers(deployment, group));
        }
    }

    private final List<Rule> rules;

    private ResurrectionRules(List<Rule> rules) {
        this.rules = List.copyOf(rules);
    }

    /** Rules that were taken before they were checked, and are bad, count for nothing. */
    static ResurrectionRules of(StoreSession session) {
        var rules = new ArrayList<Rule>();
        for (Rows.Config config : session.configs(TYPE, null, true, MOST_CONFIGS)) {
            read(config.name(), config.content(), rules);
        }
        return new ResurrectionRules(rules);
    }

    /**
     * Refuses a text that would not do what its writer means.
     *
     * @throws ProblemException with everything that is wrong with it
     */
    static void check(String text) {
        List<String> problems = read("", text, new ArrayList<>());
        if (!problems.isEmpty()) {
            throw new ProblemException(
                    BAD_CONFIG,
                    "Bad resurrection config: "
                            + String.join("; ", problems)
                            + ". A rule looks like {enabled: false, include: {deployments: [NAME],"
                            + " instance_groups: [NAME]}, exclude: {...}}");
        }
    }

    /** Why an instance is not to be repaired; null: it may be. */
    @Nullable String bars(String deployment, String group) {
        return rules.stream()
                .filter(r -> !r.enabled() && r.applies(deployment, group))
                .findFirst()
                .map(r -> "resurrection config '" + r.config() + "' switches it off for " + group)
                .orElse(null);
    }

    private static List<String> read(String name, String text, List<Rule> rules) {
        var problems = new ArrayList<String>();
        Map<String, Object> tree;
        try {
            tree = YamlDocument.parseConfig(text, TYPE).tree();
        } catch (RuntimeException e) {
            return List.of(String.valueOf(e.getMessage()));
        }
        tree.keySet().stream()
                .filter(key -> !key.equals("rules"))
                .forEach(key -> problems.add("unknown key '" + key + "'"));
        if (!(tree.get("rules") instanceof List<?> list)) {
            problems.add("'rules' is required and must be a list");
            return problems;
        }
        if (list.size() > MOST_RULES) {
            problems.add("more than " + MOST_RULES + " rules");
            return problems;
        }
        for (int i = 0; i < list.size(); i++) {
            Rule rule = rule(name, "rules[" + i + "]", list.get(i), problems);
            if (rule != null) {
                rules.add(rule);
            }
        }
        return problems;
    }

    private static @Nullable Rule rule(
            String config, String at, @Nullable Object tree, List<String> problems) {
        if (!(tree instanceof Map<?, ?> map)) {
            problems.add(at + " must be a mapping");
            return null;
        }
        int before = problems.size();
        map.keySet().stream()
                .filter(key ->
                        !List.of("enabled", "include", "exclude").contains(String.valueOf(key)))
                .forEach(key -> problems.add(at + " has unknown key '" + key + "'"));
        if (!(map.get("enabled") instanceof Boolean)) {
            problems.add(at + ".enabled is required and must be true or false");
        }
        Match include = match(at + ".include", map.get("include"), problems);
        Match exclude = match(at + ".exclude", map.get("exclude"), problems);
        return problems.size() > before
                ? null
                : new Rule(config, Boolean.TRUE.equals(map.get("enabled")), include, exclude);
    }

    private static Match match(String at, @Nullable Object tree, List<String> problems) {
        if (tree == null) {
            return new Match(List.of(), List.of());
        }
        if (!(tree instanceof Map<?, ?> map)) {
            problems.add(at + " must be a mapping");
            return new Match(List.of(), List.of());
        }
        map.keySet().stream()
                .filter(key ->
                        !List.of("deployments", "instance_groups").contains(String.valueOf(key)))
                .forEach(key -> problems.add(at + " has unknown key '" + key + "'"));
        return new Match(
                names(at + ".deployments", map.get("deployments"), problems),
                names(at + ".instance_groups", map.get("instance_groups"), problems));
    }

    private static List<String> names(String at, @Nullable Object tree, List<String> problems) {
        if (tree == null) {
            return List.of();
        }
        if (!(tree instanceof List<?> list) || !list.stream().allMatch(String.class::isInstance)) {
            problems.add(at + " must be a list of names");
            return List.of();
        }
        return list.stream().map(String::valueOf).toList();
    }
}
