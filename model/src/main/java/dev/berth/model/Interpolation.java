package dev.berth.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Puts the values of variables in the place of {@code ((name))} and {@code ((name.key))}. A text
 * that is one placeholder takes the value with its type; inside of longer text only texts and
 * integers may stand. Values are not looked through again. All failures are told together.
 */
public final class Interpolation {
    /** Leaves every placeholder as it is. */
    public static final Interpolation NONE =
            new Interpolation(name -> Optional.empty(), null, false);

    /** Parts of a manifest resolved only when used, so that their secrets are never kept. */
    private static final Pattern LATE =
            Pattern.compile(
                    "variables|(.*/)?cloud_properties"
                            + "|(instance_groups/\\*/(jobs/\\*/)?|addons/\\*/(jobs/\\*/)?)?properties"
                            + "/(?!containers(/|$)).*"
                            + "|instance_groups/\\*/(env|docker)"
                            + "|.*/consumes/[^/]*/properties"
                            + "|(instance_groups/\\*/)?(secrets|configs)"
                            + "|registries/\\*/(username|password|ca)"
                            + "|.*containers/\\*/(environment|env_vars|command|entrypoint|dockerfile"
                            + "|build/dockerfile_inline|labels|annotations|healthcheck/test"
                            + "|post_start|pre_stop|logging/options|log_options)");

    /** The same parts in the tree of a spec; a star stands for every element of a list. */
    private static final List<String> TEXTS =
            List.of(
                    "image/dockerfile",
                    "process/command",
                    "process/entrypoint",
                    "process/environment",
                    "process/labels",
                    "process/annotations",
                    "order/healthcheck/test",
                    "order/post_start/*/command",
                    "order/post_start/*/environment",
                    "order/pre_stop/*/command",
                    "order/pre_stop/*/environment",
                    "storage/secrets/*/content",
                    "storage/configs/*/content",
                    "logging/options");

    private final VariableSource source;
    private final @Nullable String prefix;
    private final boolean active;

    private Interpolation(VariableSource source, @Nullable String prefix, boolean active) {
        this.source = source;
        this.prefix = prefix;
        this.active = active;
    }

    /** For a deployment: relative names are below {@code /DIRECTOR/DEPLOYMENT/}. */
    public static Interpolation of(VariableSource source, String director, String deployment) {
        return new Interpolation(source, "/" + director + "/" + deployment + "/", true);
    }

    /** For documents that stand for all deployments: relative names are refused. */
    public static Interpolation absoluteOnly(VariableSource source) {
        return new Interpolation(source, null, true);
    }

    /** The full name of a variable of this scope. */
    public String absolute(String name) {
        return name.startsWith("/") || prefix == null ? name : prefix + name;
    }

    /**
     * Resolves a whole tree.
     *
     * @throws ProblemException with every failure
     */
    public @Nullable Object resolve(@Nullable Object tree) {
        var findings = new Findings();
        Object resolved = resolve(tree, "", findings);
        findings.throwIfAny();
        return resolved;
    }

    @Nullable Object resolve(@Nullable Object tree, String place, Findings findings) {
        return active ? new Walk(null, findings).walk(tree, place, null) : tree;
    }

    /** Resolves a manifest but for the parts that are resolved late; those are only checked. */
    YamlDocument early(YamlDocument manifest, List<VariableDefinition> defined, Findings findings) {
        if (!active) {
            return manifest;
        }
        var names = new ArrayList<String>();
        defined.forEach(d -> names.add(absolute(d.name())));
        var walk = new Walk(manifest, findings);
        Object resolved = walk.walk(manifest.root(), "", new Late("", names));
        return manifest.withRoot(resolved);
    }

    /** Resolves the texts of a container. */
    ContainerSpec resolve(ContainerSpec spec, InstanceGroup group, Findings findings) {
        if (!active) {
            return spec;
        }
        var walk = new Walk(null, findings);
        String place = group.place() + " container '" + spec.name() + "'";
        Map<String, Object> tree = spec.toTree();
        Object resolved = tree;
        for (String path : TEXTS) {
            resolved = resolve(resolved, List.of(path.split("/")), place, walk);
        }
        return ContainerSpec.fromTree(resolved);
    }

    /** Resolves the credentials of a registry. */
    RegistryLogin resolve(RegistryLogin login, String place, Findings findings) {
        return active
                ? new RegistryLogin(
                        login.host(),
                        text(login.username(), place + ".username", findings),
                        text(login.password(), place + ".password", findings),
                        text(login.ca(), place + ".ca", findings),
                        login.insecure())
                : login;
    }

    private @Nullable Secret text(@Nullable Secret raw, String place, Findings findings) {
        return raw == null
                ? null
                : new Secret(
                        String.valueOf(
                                new Walk(null, findings).texts((Object) raw.reveal(), place)));
    }

    /** A copy of the tree in which the texts at this path are resolved, if it leads anywhere. */
    private static Object resolve(Object tree, List<String> path, String place, Walk walk) {
        if (path.isEmpty()) {
            return walk.texts(tree, place);
        }
        List<String> rest = path.subList(1, path.size());
        if (tree instanceof List<?> list && path.getFirst().equals("*")) {
            var copy = new ArrayList<Object>();
            list.forEach(item -> copy.add(resolve(item, rest, place, walk)));
            return copy;
        }
        if (!(tree instanceof Map<?, ?> map) || map.get(path.getFirst()) == null) {
            return tree;
        }
        var copy = new LinkedHashMap<>(Json.asObject(map));
        copy.computeIfPresent(
                path.getFirst(), (key, value) -> resolve(value, rest, place + " " + key, walk));
        return copy;
    }

    /** Absolute names of all variables that a tree refers to, sorted. */
    public List<String> names(@Nullable Object tree) {
        var names = new TreeSet<String>();
        collect(tree, names);
        return List.copyOf(names);
    }

    private void collect(@Nullable Object tree, TreeSet<String> names) {
        switch (tree) {
            case Map<?, ?> map ->
                    map.forEach((key, value) -> {
                        collect(key, names);
                        collect(value, names);
                    });
            case List<?> list -> list.forEach(item -> collect(item, names));
            case String text ->
                    Placeholder.inside(text).stream()
                            .filter(p -> Placeholder.fault(p).isEmpty())
                            .forEach(p -> names.add(absolute(Placeholder.parse(p).name())));
            case null, default -> {}
        }
    }

    /** Where the walk is in a manifest, and which variables will have values later. */
    private record Late(String pattern, List<String> defined) {
        boolean holds() {
            return LATE.matcher(pattern).matches();
        }

        Late below(String step) {
            return new Late(pattern.isEmpty() ? step : pattern + "/" + step, defined);
        }
    }

    private final class Walk {
        private final @Nullable YamlDocument document;
        private final Findings findings;

        Walk(@Nullable YamlDocument document, Findings findings) {
            this.document = document;
            this.findings = findings;
        }

        @Nullable Object walk(@Nullable Object value, String path, @Nullable Late late) {
            if (late != null && late.holds()) {
                if (!late.pattern().equals("variables")) {
                    check(value, path, late.defined());
                }
                return value;
            }
            return switch (value) {
                case Map<?, ?> map -> mapping(map, path, late);
                case List<?> list -> {
                    var copy = new ArrayList<@Nullable Object>();
                    for (int i = 0; i < list.size(); i++) {
                        copy.add(
                                walk(
                                        list.get(i),
                                        path + "[" + i + "]",
                                        late == null ? null : late.below("*")));
                    }
                    yield copy;
                }
                case String text -> text(text, path);
                case null, default -> value;
            };
        }

        private Object mapping(Map<?, ?> map, String path, @Nullable Late late) {
            var copy = new LinkedHashMap<String, @Nullable Object>();
            map.forEach((k, value) -> {
                String key = String.valueOf(k);
                String below = path.isEmpty() ? key : path + "." + key;
                Object name = Placeholder.isWhole(key) ? text(key, below) : key;
                copy.put(
                        String.valueOf(name),
                        walk(value, below, late == null ? null : late.below(key)));
            });
            return copy;
        }

        private @Nullable Object text(String text, String path) {
            List<String> found = Placeholder.inside(text);
            if (found.isEmpty()) {
                return text;
            }
            if (Placeholder.isWhole(text)) {
                return value(found.getFirst(), path).orElse(text);
            }
            return inside(text, found, path);
        }

        private String inside(String text, List<String> found, String path) {
            var out = new StringBuilder();
            int from = 0;
            for (String written : found) {
                int at = text.indexOf(written, from);
                out.append(text, from, at);
                Object value = value(written, path).orElse(written);
                if (value instanceof String || value instanceof Long || value instanceof Integer) {
                    out.append(value);
                } else {
                    unfit(written, path);
                }
                from = at + written.length();
            }
            return out.append(text.substring(from)).toString();
        }

        private void unfit(String written, String path) {
            // BOSH shows the text around it too; here that may be part of a secret
            fail(
                    540007,
                    path,
                    "Failed to substitute variable: Can not replace '%s' in the text here. The value should be a String or an Integer."
                            .formatted(written),
                    null);
        }

        /** Texts in lists and maps of texts: whatever is put in must be text afterwards. */
        Object texts(Object value, String path) {
            return switch (value) {
                case Map<?, ?> map -> {
                    var copy = new LinkedHashMap<String, Object>();
                    map.forEach((k, v) -> copy.put(String.valueOf(k), texts(v, path + "." + k)));
                    yield copy;
                }
                case List<?> list -> list.stream().map(v -> texts((Object) v, path)).toList();
                default -> {
                    String text = String.valueOf(value);
                    Object resolved = text(text, path);
                    if (resolved instanceof Map<?, ?> || resolved instanceof List<?>) {
                        unfit(text, path);
                        yield text;
                    }
                    yield String.valueOf(resolved);
                }
            };
        }

        /** Says which variables nobody will know, long before they are needed. */
        private void check(@Nullable Object value, String path, List<String> defined) {
            switch (value) {
                case Map<?, ?> map -> map.forEach((k, v) -> check(v, path + "." + k, defined));
                case List<?> list -> {
                    for (int i = 0; i < list.size(); i++) {
                        check(list.get(i), path + "[" + i + "]", defined);
                    }
                }
                case String text -> {
                    for (String written : Placeholder.inside(text)) {
                        boolean wellFormed = Placeholder.fault(written).isEmpty();
                        if (!wellFormed
                                || !defined.contains(absolute(Placeholder.parse(written).name()))) {
                            value(written, path);
                        }
                    }
                }
                case null, default -> {}
            }
        }

        private Optional<Object> value(String written, String path) {
            Optional<String> fault = Placeholder.fault(written);
            if (fault.isPresent()) {
                fail(540004, path, fault.get(), null);
                return Optional.empty();
            }
            Placeholder placeholder = Placeholder.parse(written);
            if (prefix == null && !placeholder.name().startsWith("/")) {
                fail(
                        540004,
                        path,
                        "Relative paths are not allowed in this context. The following must be be"
                                + " switched to use absolute paths: '"
                                + placeholder.name()
                                + "'",
                        null);
                return Optional.empty();
            }
            String name = absolute(placeholder.name());
            Optional<Object> value = source.get(name);
            if (value.isEmpty()) {
                fail(
                        540001,
                        path,
                        "Failed to find variable '" + name + "'",
                        "define it under 'variables', or set it");
                return Optional.empty();
            }
            findings.secret(value.get());
            return descend(value.get(), name, placeholder.keys(), path);
        }

        private Optional<Object> descend(
                Object value, String name, List<String> keys, String path) {
            Object at = value;
            for (String key : keys) {
                String failure = "Failed to fetch variable '" + name + "': ";
                if (!(at instanceof Map<?, ?> map)) {
                    fail(
                            540001,
                            path,
                            failure + "expected it to be a hash with key '" + key + "'",
                            null);
                    return Optional.empty();
                }
                Object below = map.get(key);
                if (below == null) {
                    fail(540001, path, failure + "its hash has no key '" + key + "'", null);
                    return Optional.empty();
                }
                at = below;
            }
            return Optional.of(at);
        }

        private void fail(int code, String path, String message, @Nullable String remedy) {
            findings.error(code, document == null ? path : document.place(path), message, remedy);
            findings.unresolved();
        }
    }
}
