package dev.berth.model;

import dev.berth.model.DiffLine.Status;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What changes between two manifests or configs, as the lines that the command line shows. Equality
 * is judged on real values and shown on redacted ones, so a changed secret is a pair of equal
 * lines. The order of a list's elements does not count.
 */
public final class ManifestDiff {
    private static final List<String> SECTIONS =
            List.of(
                    "azs",
                    "vm_types",
                    "vm_extensions",
                    "resource_pools",
                    "compilation",
                    "networks",
                    "disk_types",
                    "name",
                    "stemcells",
                    "releases",
                    "update",
                    "jobs",
                    "release",
                    "addons",
                    "variables");

    /** BOSH hides what is below the first two; containers keep their secrets in the others. */
    private static final Set<String> HIDDEN =
            Set.of(
                    "properties",
                    "bosh",
                    "environment",
                    "env_vars",
                    "secrets",
                    "configs",
                    "registries",
                    "log_options");

    private static final Set<String> URLS = Set.of("url", "http_proxy", "https_proxy");
    private static final Pattern USER_IN_URL = Pattern.compile("(://)[^/@]*@");
    private static final String REDACTED = "<redacted>";

    /** A value and the form in which it is shown. */
    private record Shown(@Nullable Object real, @Nullable Object shown) {}

    private ManifestDiff() {}

    /**
     * The lines between two documents, sections in BOSH's order with an empty line between them.
     *
     * @param before empty when there was none: every line is added
     * @param redact whether values that may be secret are hidden
     */
    public static List<DiffLine> between(
            Map<String, Object> before, Map<String, Object> after, boolean redact) {
        Shown old = new Shown(before, redact ? redacted(before, false) : before);
        Shown now = new Shown(after, redact ? redacted(after, false) : after);
        var sections = new LinkedHashMap<String, List<DiffLine>>();
        for (String key : keys(before, after)) {
            sections.put(key, entry(key, old, now));
        }
        var lines = new ArrayList<DiffLine>();
        SECTIONS.forEach(key -> append(lines, sections.remove(key)));
        sections.values().forEach(section -> append(lines, section));
        return List.copyOf(lines);
    }

    private static void append(List<DiffLine> lines, @Nullable List<DiffLine> section) {
        if (section != null && !section.isEmpty()) {
            if (!lines.isEmpty()) {
                lines.add(new DiffLine("", null));
            }
            lines.addAll(section);
        }
    }

    /**
     * A manifest as it is compared: the sections of the cloud config over its own, {@code latest}
     * stemcells as what they are now, with their operating system.
     */
    public static Map<String, Object> merged(
            YamlDocument manifest, YamlDocument cloud, List<StemcellRef.Available> stemcells) {
        var merged = new LinkedHashMap<>(manifest.tree());
        if (merged.get("stemcells") instanceof List<?> list) {
            var resolved = new ArrayList<Object>();
            for (Object stemcell : list) {
                resolved.add(resolved(stemcell, stemcells));
            }
            merged.put("stemcells", resolved);
        }
        merged.putAll(cloud.tree());
        return merged;
    }

    private static Object resolved(Object stemcell, List<StemcellRef.Available> available) {
        if (!(stemcell instanceof Map<?, ?> map)) {
            return stemcell;
        }
        var copy = new LinkedHashMap<>(Json.asObject(map));
        var wanted =
                new StemcellRef(
                        String.valueOf(map.get("alias")),
                        text(map.get("os")),
                        text(map.get("name")),
                        String.valueOf(map.get("version")));
        wanted.resolve(available)
                .ifPresent(found -> {
                    copy.put("version", found.version());
                    copy.put("os", found.operatingSystem());
                });
        return copy;
    }

    private static @Nullable String text(@Nullable Object value) {
        return value == null ? null : value.toString();
    }

    private static Set<String> keys(Map<String, Object> before, Map<String, Object> after) {
        var keys = Collections.<String>newSequencedSetFromMap(new LinkedHashMap<>());
        keys.addAll(before.keySet());
        keys.addAll(after.keySet());
        return keys;
    }

    private static List<DiffLine> mapping(Shown before, Shown after) {
        var lines = new ArrayList<DiffLine>();
        for (String key : keys(Json.asObject(before.real), Json.asObject(after.real))) {
            lines.addAll(entry(key, before, after));
        }
        return lines;
    }

    private static List<DiffLine> entry(String key, Shown before, Shown after) {
        boolean was = Json.asObject(before.real).containsKey(key);
        boolean is = Json.asObject(after.real).containsKey(key);
        Shown old = below(before, key);
        Shown now = below(after, key);
        if (was && is && Objects.equals(old.real, now.real)) {
            return List.of();
        }
        if (was && is && old.real instanceof Map<?, ?> && now.real instanceof Map<?, ?>) {
            return headed(key, mapping(old, now).stream().map(DiffLine::indented).toList());
        }
        if (was && is && old.real instanceof List<?> && now.real instanceof List<?>) {
            return headed(key, lists(old, now));
        }
        var lines = new ArrayList<DiffLine>();
        if (was) {
            lines.addAll(lines(pair(key, old.shown), Status.REMOVED));
        }
        if (is) {
            lines.addAll(lines(pair(key, now.shown), Status.ADDED));
        }
        return lines;
    }

    private static List<DiffLine> headed(String key, List<DiffLine> below) {
        if (below.isEmpty()) {
            return List.of();
        }
        String written = YamlText.lines(pair(key, null)).getFirst();
        var lines = new ArrayList<DiffLine>();
        lines.add(new DiffLine(written, null));
        lines.addAll(below);
        return lines;
    }

    private static List<DiffLine> lists(Shown before, Shown after) {
        List<Shown> added = without(items(after), items(before));
        List<Shown> removed = new ArrayList<>(without(items(before), items(after)));
        var differing = new ArrayList<>(added);
        differing.addAll(removed);
        String identity =
                haveAll(differing, "name") ? "name" : haveAll(differing, "range") ? "range" : null;
        var lines = new ArrayList<DiffLine>();
        for (Shown item : added) {
            Shown twin = identity == null ? null : twin(removed, item, identity);
            if (twin == null) {
                lines.addAll(lines(Collections.singletonList(item.shown), Status.ADDED));
                continue;
            }
            removed.remove(twin);
            List<DiffLine> nested = mapping(twin, item);
            if (!nested.isEmpty()) {
                Object name = Json.asObject(item.shown).get(identity);
                lines.addAll(lines(List.of(pair(String.valueOf(identity), name)), null));
                nested.forEach(line -> lines.add(line.indented()));
            }
        }
        for (Shown item : removed) {
            lines.addAll(lines(Collections.singletonList(item.shown), Status.REMOVED));
        }
        return lines;
    }

    private static List<Shown> items(Shown list) {
        List<?> real = Json.asList(list.real);
        List<?> shown = Json.asList(list.shown);
        var items = new ArrayList<Shown>();
        for (int i = 0; i < real.size(); i++) {
            items.add(new Shown(real.get(i), shown.get(i)));
        }
        return items;
    }

    private static List<Shown> without(List<Shown> items, List<Shown> others) {
        var there = new java.util.HashSet<@Nullable Object>();
        others.forEach(o -> there.add(o.real));
        return items.stream().filter(i -> !there.contains(i.real)).toList();
    }

    private static boolean haveAll(List<Shown> items, String key) {
        return items.stream()
                .allMatch(i -> i.real instanceof Map<?, ?> map && map.get(key) != null);
    }

    private static @Nullable Shown twin(List<Shown> candidates, Shown item, String identity) {
        Object name = Json.asObject(item.real).get(identity);
        return candidates.stream()
                .filter(c -> Objects.equals(Json.asObject(c.real).get(identity), name))
                .findFirst()
                .orElse(null);
    }

    private static Shown below(Shown map, String key) {
        return new Shown(Json.asObject(map.real).get(key), Json.asObject(map.shown).get(key));
    }

    private static Map<String, Object> pair(String key, @Nullable Object value) {
        return Json.of(key, value);
    }

    private static List<DiffLine> lines(Object tree, @Nullable Status status) {
        return YamlText.lines(tree).stream().map(line -> new DiffLine(line, status)).toList();
    }

    private static @Nullable Object redacted(@Nullable Object value, boolean hidden) {
        return switch (value) {
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<String, @Nullable Object>();
                map.forEach((k, v) -> {
                    String key = String.valueOf(k);
                    boolean hide = hidden || HIDDEN.contains(key) && isNested(v);
                    copy.put(
                            key,
                            key.equals("tls_key") && !isNested(v)
                                    ? REDACTED
                                    : URLS.contains(key) && v instanceof String url && !hide
                                            ? USER_IN_URL
                                                    .matcher(url)
                                                    .replaceAll("$1" + REDACTED + "@")
                                            : redacted(v, hide));
                });
                yield copy;
            }
            case List<?> list ->
                    list.stream()
                            .map(item -> redacted((Object) item, hidden))
                            .collect(ArrayList::new, ArrayList::add, ArrayList::addAll);
            case null -> hidden ? REDACTED : null;
            default -> hidden ? REDACTED : value;
        };
    }

    private static boolean isNested(@Nullable Object value) {
        return value instanceof Map<?, ?> || value instanceof List<?>;
    }
}
