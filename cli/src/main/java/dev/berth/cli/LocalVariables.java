package dev.berth.cli;

import dev.berth.model.EnvironmentFile;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.YamlDocument;
import dev.berth.model.YamlText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * The stock CLI's variables of the command line: put in the place of {@code ((name))} here, before
 * the document leaves this machine. What is given no value stays as it is: the director may know
 * it.
 */
final class LocalVariables {
    private static final String NETWORK = "((berth_network))";
    private static final Pattern PLACEHOLDER = Pattern.compile("\\(\\(!?([-/.\\w:@]+)\\)\\)");

    @Option(
            names = {"-v", "--var"},
            paramLabel = "NAME=VALUE",
            description = "Value (YAML) for ((NAME)), put in before anything is sent.")
    List<String> values = new ArrayList<>();

    @Option(
            names = "--var-file",
            paramLabel = "NAME=FILE",
            description = "Text of a file for ((NAME)).")
    List<String> files = new ArrayList<>();

    @Option(
            names = {"-l", "--vars-file"},
            paramLabel = "FILE",
            description = "YAML file of names and values; later ones win, -v wins over all.")
    List<Path> maps = new ArrayList<>();

    @Option(
            names = "--vars-env",
            paramLabel = "PREFIX",
            description = "Take ((NAME)) from the environment's PREFIX_NAME.")
    List<String> prefixes = new ArrayList<>();

    /** The document with its values; as it was, to the letter, when no value was given. */
    String applied(String text, Map<String, String> env) {
        Map<String, Object> known = known(env);
        if (known.isEmpty()) {
            return text;
        }
        return YamlText.write(resolved(YamlDocument.parse(text).root(), known));
    }

    /**
     * The same, where {@code ((berth_network))} is the beginning of the addresses of this machine's
     * environment, if that is the one the document goes to and nothing else is said.
     */
    String applied(String text, Map<String, String> env, Main main, Api api) {
        if (text.contains(NETWORK) && !known(env).containsKey("berth_network")) {
            EnvironmentFile file = main.home().hasEnvironment() ? main.home().environment() : null;
            if (file != null && file.url().equals(api.target().url())) {
                String gateway = file.gateway();
                String base = gateway.substring(0, gateway.lastIndexOf('.'));
                // Within longer text too, and every line but that one stays as it is.
                return applied(text.replace(NETWORK, base), env);
            }
        }
        return applied(text, env);
    }

    private Map<String, Object> known(Map<String, String> env) {
        var known = new LinkedHashMap<String, Object>();
        for (String prefix : prefixes) {
            env.forEach((name, value) -> {
                if (name.startsWith(prefix + "_")) {
                    put(known, name.substring(prefix.length() + 1), yaml(name, value));
                }
            });
        }
        for (Path file : maps) {
            yamlMap(file).forEach((name, value) -> put(known, name, value));
        }
        for (String pair : files) {
            String[] parts = split("--var-file", pair);
            put(known, parts[0], ChangeCommands.read(Path.of(parts[1])));
        }
        for (String pair : values) {
            String[] parts = split("--var", pair);
            put(known, parts[0], yaml("--var " + parts[0], parts[1]));
        }
        return known;
    }

    private static void put(Map<String, Object> known, String name, @Nullable Object value) {
        known.put(name, value == null ? "" : value);
    }

    private static String[] split(String option, String pair) {
        int equals = pair.indexOf('=');
        if (equals < 1) {
            // The text may hold a secret: it is not repeated.
            throw new CliException(option + " is to be NAME=VALUE");
        }
        return new String[] {pair.substring(0, equals), pair.substring(equals + 1)};
    }

    private static Map<String, Object> yamlMap(Path file) {
        Object root;
        try {
            root = YamlDocument.value(ChangeCommands.read(file));
        } catch (ProblemException e) {
            throw new CliException(file + ": " + e.getMessage(), e);
        }
        if (!(root instanceof Map<?, ?>)) {
            throw new CliException(file + " is to hold names and values");
        }
        return Json.asObject(root);
    }

    private static @Nullable Object yaml(String what, String text) {
        try {
            return YamlDocument.value(text);
        } catch (ProblemException e) {
            throw new CliException("the value of " + what + " is no YAML; quote it", e);
        }
    }

    private static @Nullable Object resolved(@Nullable Object tree, Map<String, Object> known) {
        return switch (tree) {
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<String, @Nullable Object>();
                map.forEach((key, value) ->
                        copy.put(
                                String.valueOf(resolved(String.valueOf(key), known)),
                                resolved(value, known)));
                yield copy;
            }
            case List<?> list -> {
                var copy = new ArrayList<@Nullable Object>();
                list.forEach(item -> copy.add(resolved(item, known)));
                yield copy;
            }
            case String text -> resolvedText(text, known);
            case null, default -> tree;
        };
    }

    private static Object resolvedText(String text, Map<String, Object> known) {
        Matcher whole = PLACEHOLDER.matcher(text);
        if (whole.matches()) {
            return find(whole.group(1), known).orElse(text);
        }
        return PLACEHOLDER
                .matcher(text)
                .replaceAll(found ->
                        Matcher.quoteReplacement(
                                find(found.group(1), known)
                                        .map(value -> inText(found.group(1), value))
                                        .orElse(found.group())));
    }

    private static String inText(String name, Object value) {
        if (value instanceof Map || value instanceof List) {
            throw new CliException(
                    "variable '" + name + "' is a map or list and stands inside of a text");
        }
        return String.valueOf(value);
    }

    private static Optional<Object> find(String name, Map<String, Object> known) {
        Object whole = known.get(name);
        if (whole != null) {
            return Optional.of(whole);
        }
        int dot = name.indexOf('.');
        if (dot < 0 || !(known.get(name.substring(0, dot)) instanceof Map<?, ?> map)) {
            return Optional.empty();
        }
        return find(name.substring(dot + 1), Json.asObject(map));
    }
}
