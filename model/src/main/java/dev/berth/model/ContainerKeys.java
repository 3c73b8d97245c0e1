package dev.berth.model;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The kinds of values that keys of a container have, in both notations. Everything wrong becomes a
 * problem with its place, and reading goes on.
 *
 * @param legacy whether the keys are the docker release's: lists may be comma separated text,
 *     booleans may be text, and {@code $} stays as it is
 */
record ContainerKeys(Section section, boolean legacy) {
    private static final Pattern ENVIRONMENT_NAME = Pattern.compile("[^=\\s\\x00]+");

    /** The same section under other keys of it, in the same notation. */
    ContainerKeys below(String key) {
        return new ContainerKeys(section.section(key), legacy);
    }

    /**
     * The key to read of the two that Compose and the docker release have for one thing: the
     * release knows only its own, beside Compose's both are taken, but not at once.
     */
    String key(String compose, String release) {
        if (legacy) {
            return release;
        }
        if (section.has(compose) && section.has(release)) {
            section.at(release)
                    .error(
                            "'"
                                    + compose
                                    + "' and '"
                                    + release
                                    + "' mean the same; give one of them",
                            null);
        }
        return section.has(release) && !section.has(compose) ? release : compose;
    }

    boolean has(String key) {
        return section.has(key);
    }

    Spot at(String key) {
        return section.at(key);
    }

    @Nullable String text(String key) {
        return section.optionalString(key);
    }

    /** A text that must match; others are a problem with this remedy. */
    @Nullable String text(String key, Pattern form, String what, @Nullable String remedy) {
        String text = section.optionalString(key);
        if (text != null && !form.matcher(text).matches()) {
            section.at(key).error("'" + text + "' is no " + what, remedy);
        }
        return text;
    }

    boolean flag(String key) {
        return Boolean.TRUE.equals(optionalFlag(key));
    }

    @Nullable Boolean optionalFlag(String key) {
        Spot spot = section.at(key);
        if (legacy && spot.value() instanceof String text && text.matches("true|false")) {
            return Boolean.parseBoolean(text);
        }
        return section.has(key) ? section.flag(key, false) : null;
    }

    @Nullable Long integer(String key, long least, long most) {
        if (!section.has(key)) {
            return null;
        }
        Spot spot = section.at(key);
        if (!(spot.value() instanceof String text)) {
            return within(spot, spot.integer(), least, most);
        }
        Long number = YamlScalars.integer(text.strip());
        if (number == null) {
            spot.wrongType("Integer");
            return null;
        }
        return within(spot, number, least, most);
    }

    private static long within(Spot spot, long number, long least, long most) {
        if (number < least || number > most) {
            spot.error("'%s' must be %d to %d".formatted(spot.key(), least, most), null);
        }
        return number;
    }

    @Nullable Duration duration(String key) {
        return section.has(key)
                ? reading(section.at(key), ContainerFormats::duration, section.at(key).string())
                : null;
    }

    Duration duration(String key, Duration otherwise) {
        Duration duration = duration(key);
        return duration == null ? otherwise : duration;
    }

    /** A size; 0 and nothing are the same. */
    @Nullable Long bytes(String key) {
        if (!section.has(key)) {
            return null;
        }
        Spot spot = section.at(key);
        Long bytes = reading(spot, ContainerFormats::bytes, spot.string());
        return bytes == null || bytes == 0 ? null : bytes;
    }

    /** A command: an array as it is, text split like a shell does. */
    @Nullable List<String> command(String key) {
        if (!section.has(key)) {
            return null;
        }
        Spot spot = section.at(key);
        if (spot.isList()) {
            return spot.items().stream().map(s -> dollars(textOf(s))).toList();
        }
        List<String> words = reading(spot, ContainerFormats::words, spot.string());
        return words == null ? List.of() : words.stream().map(this::dollars).toList();
    }

    static String textOf(Spot spot) {
        return spot.isScalar() ? spot.text() : spot.string();
    }

    /** In Compose's notation a dollar is written twice. */
    String dollars(String text) {
        return legacy ? text : text.replace("$$", "$");
    }

    /** Elements of a list; a text is split at commas where the docker release does. */
    List<Spot> list(String key) {
        if (!section.has(key)) {
            return List.of();
        }
        Spot spot = section.at(key);
        if (!legacy || !(spot.value() instanceof String text)) {
            List<Spot> items = spot.items();
            items.stream().filter(i -> legacy && wasSplit(i)).forEach(this::warnOfComma);
            return items;
        }
        var items = new ArrayList<Spot>();
        for (String part : text.split(",")) {
            if (!part.isBlank()) {
                items.add(new Spot(part.strip(), spot.path(), spot.mark(), spot.findings()));
            }
        }
        return items;
    }

    private static boolean wasSplit(Spot item) {
        return item.value() instanceof String text && text.indexOf(',') >= 0;
    }

    private void warnOfComma(Spot item) {
        item.warning(
                "it has a comma, at which the docker release would have split it; here it is one"
                        + " element",
                null);
    }

    List<String> strings(String key) {
        return list(key).stream().map(ContainerKeys::textOf).toList();
    }

    /** A list, or in Compose's notation one text for a list of one. */
    List<Spot> oneOrList(String key) {
        Spot spot = section.at(key);
        return !legacy && spot.isScalar() ? List.of(spot) : list(key);
    }

    List<String> oneOrStrings(String key) {
        return oneOrList(key).stream().map(ContainerKeys::textOf).toList();
    }

    /** {@code [K=V]} or {@code {K: V}}. */
    Map<String, String> pairs(String key) {
        var pairs = new LinkedHashMap<String, String>();
        Spot spot = section.at(key);
        if (spot.isMap()) {
            Section map = spot.section();
            for (String name : map.tree().keySet()) {
                pair(map.at(name), name, map.at(name), pairs);
            }
            return pairs;
        }
        for (Spot item : list(key)) {
            String text = textOf(item);
            int equals = text.indexOf('=');
            if (equals < 0) {
                pair(item, text, new Spot(null, item.path(), item.mark(), item.findings()), pairs);
            } else {
                var value =
                        new Spot(
                                text.substring(equals + 1),
                                item.path(),
                                item.mark(),
                                item.findings());
                pair(item, text.substring(0, equals), value, pairs);
            }
        }
        return pairs;
    }

    private void pair(Spot at, String name, Spot value, Map<String, String> pairs) {
        if (!ENVIRONMENT_NAME.matcher(name).matches()) {
            at.error("a name is empty or has blanks or '='", "write NAME=VALUE or NAME: VALUE");
        } else if (pairs.containsKey(name)) {
            at.error("'" + name + "' is given twice", null);
        } else if (value.isScalar()) {
            pairs.put(name, dollars(value.text()));
        } else if (value.value() == null && legacy) {
            at.warning("'" + name + "' has no value and is left out", null);
        } else if (value.value() == null) {
            at.error(
                    "'" + name + "' has no value",
                    "there is no shell to take it from; write "
                            + name
                            + "=VALUE or a ((variable))");
        } else {
            value.wrongType("String");
        }
    }

    /** One of these words; anything else is a problem. */
    @Nullable String word(String key, Set<String> words, String... prefixes) {
        String text = section.optionalString(key);
        if (text == null || text.isEmpty() || words.contains(text)) {
            return text == null || text.isEmpty() ? null : text;
        }
        for (String prefix : prefixes) {
            if (text.startsWith(prefix) && text.length() > prefix.length()) {
                return text;
            }
        }
        var all = new ArrayList<>(words.stream().sorted().toList());
        for (String prefix : prefixes) {
            all.add(prefix + "NAME");
        }
        section.at(key).error("'" + text + "' is no " + key, String.join(", ", all));
        return null;
    }

    /** Keys that are not honoured are errors with a remedy, when they ask for something. */
    void refuse(Map<String, String> remedies) {
        for (String key : section.tree().keySet()) {
            String remedy = remedies.get(key);
            if (remedy != null && section.has(key)) {
                section.at(key)
                        .error("'" + key + "' is not supported", remedy.isEmpty() ? null : remedy);
            }
        }
    }

    /** Runs a reader of small notations; its complaint becomes a problem of the place. */
    static <T> @Nullable T reading(Spot spot, Function<String, T> reader, String text) {
        try {
            return reader.apply(text);
        } catch (IllegalArgumentException e) {
            spot.error(String.valueOf(e.getMessage()), null);
            return null;
        }
    }
}
