package dev.berth.cli;

import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.YamlDocument;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A Compose file with everything inside that it takes from this machine: variables, env files,
 * contents of secrets and configs. The keys of services stay Compose's own, for the director reads
 * them; what cannot be carried is an error that names file, key and remedy.
 */
final class ComposeFile {
    private static final Set<String> TOP =
            Set.of("name", "version", "services", "volumes", "networks", "secrets", "configs");

    /** Where a whole value may be a number or a truth that a variable brought as text. */
    private static final Set<String> NUMBERS_AND_TRUTHS =
            Set.of(
                    "cpu_shares",
                    "cpus",
                    "disable",
                    "init",
                    "mem_swappiness",
                    "oom_score_adj",
                    "pids_limit",
                    "privileged",
                    "read_only",
                    "replicas",
                    "required",
                    "retries",
                    "stdin_open",
                    "tty",
                    "max_attempts");

    /**
     * What the director takes for a variable and Compose does not: a shell's arithmetics, mostly.
     */
    private static final Pattern PARENTHESES = Pattern.compile("\\(\\((?!!?[-/.\\w:@]+\\)\\))");

    private static final String MODES =
            "services\\.[^.]+\\.(secrets|configs|volumes\\.tmpfs)\\.mode";

    private static final int LARGEST_CONTENT = 500 * 1024;

    private final Path file;
    private final Path folder;
    private final Map<String, String> env;
    private final ComposeVariables variables;
    private final Map<String, Map<String, Object>> defined;
    private final Map<String, Object> root;

    /**
     * @param env the operator's; a {@code .env} beside the file comes after it
     * @param defined {@code secrets} and {@code configs} that the manifest itself defines: their
     *     files are not read
     */
    ComposeFile(
            Path file,
            Map<String, String> env,
            Consumer<String> warn,
            Map<String, Map<String, Object>> defined) {
        this.file = file;
        this.folder = java.util.Objects.requireNonNullElse(file.toAbsolutePath().getParent(), file);
        this.env = withDotEnv(env);
        this.variables = new ComposeVariables(this.env);
        this.defined = defined;
        this.root = Json.asObject(resolved("", parsed()));
        variables
                .unset()
                .forEach(name ->
                        warn.accept(file + ": variable " + name + " is not set; it is empty"));
        checkTop();
    }

    private Map<String, String> withDotEnv(Map<String, String> operators) {
        Path dotEnv = folder.resolve(".env");
        if (!Files.isRegularFile(dotEnv)) {
            return operators;
        }
        var all = new LinkedHashMap<String, String>();
        values(dotEnv, ".env", operators)
                .forEach((name, value) -> all.put(name, value == null ? "" : value));
        all.putAll(operators);
        return all;
    }

    private Object parsed() {
        Object tree;
        try {
            tree = YamlDocument.value(ChangeCommands.read(file));
        } catch (ProblemException e) {
            throw new CliException(file + ": " + e.getMessage(), e);
        }
        if (!(tree instanceof Map<?, ?>)) {
            throw new CliException(file + " is no Compose file: it holds no keys");
        }
        return tree;
    }

    private CliException wrong(String key, String what, String remedy) {
        return new CliException(file + ": " + key + ": " + what + "; " + remedy);
    }

    /** Variables in values, never in keys, as Compose has it. */
    private Object resolved(String path, @Nullable Object tree) {
        return switch (tree) {
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<String, @Nullable Object>();
                map.forEach((key, value) -> {
                    String below = path.isEmpty() ? String.valueOf(key) : path + "." + key;
                    copy.put(String.valueOf(key), value == null ? null : resolved(below, value));
                });
                yield copy;
            }
            case List<?> list -> {
                var copy = new ArrayList<@Nullable Object>();
                list.forEach(item -> copy.add(item == null ? null : resolved(path, item)));
                yield copy;
            }
            case String text -> resolvedText(path, text);
            case null -> "";
            // Written in octal, read as a number: the director reads the digits.
            case Long mode when path.matches(MODES) -> "0" + Long.toOctalString(mode);
            default -> tree;
        };
    }

    private Object resolvedText(String path, String text) {
        try {
            String value = variables.applied(text);
            if (PARENTHESES.matcher(value).find()) {
                throw wrong(
                        path,
                        "the director takes (( for the beginning of a variable",
                        "in a shell, write $$(expr A + B) for an arithmetic expression");
            }
            String key = path.substring(path.lastIndexOf('.') + 1);
            boolean typed =
                    !value.equals(text)
                            && NUMBERS_AND_TRUTHS.contains(key)
                            && !path.matches(".*\\.(environment|labels|args)\\..*");
            if (typed && value.matches("-?(0|[1-9]\\d{0,17})")) {
                return Long.parseLong(value);
            }
            return typed && value.matches("true|false") ? Boolean.valueOf(value) : value;
        } catch (ComposeVariables.Wrong e) {
            throw wrong(path, String.valueOf(e.getMessage()), "see docs/compose.md");
        }
    }

    private void checkTop() {
        for (String key : root.keySet()) {
            if (key.equals("include")) {
                throw wrong(
                        key, "other files are not taken in", "put their services into this one");
            }
            if (!TOP.contains(key) && !key.startsWith("x-")) {
                throw wrong(key, "it has no meaning on a server", "leave it out");
            }
        }
        section("volumes").forEach(this::checkVolume);
    }

    /** A named volume is a folder of the persistent disk, and nothing else. */
    private void checkVolume(String name, @Nullable Object definition) {
        if (!(definition instanceof Map<?, ?> map)) {
            return;
        }
        String key = "volumes." + name;
        String remedy = "leave it out: a named volume is a folder of the persistent disk";
        if (Boolean.TRUE.equals(map.get("external"))) {
            throw wrong(key + ".external", "a volume of this machine is not there", remedy);
        }
        Object driver = map.get("driver");
        if (driver != null && !driver.equals("local")) {
            throw wrong(key + ".driver", "'" + driver + "' keeps nothing on the disk", remedy);
        }
        if (map.get("driver_opts") instanceof Map<?, ?> options && !options.isEmpty()) {
            throw wrong(key + ".driver_opts", "they would be lost", remedy);
        }
    }

    private Map<String, Object> section(String key) {
        Object value = root.get(key);
        return switch (value) {
            case null -> Map.of();
            case Map<?, ?> map -> Json.asObject(map);
            case String text when text.isEmpty() -> Map.of();
            default -> throw wrong(key, "it is no map", "see Compose's reference");
        };
    }

    // --- services

    /** Each service, its key as {@code name}. */
    List<Map<String, Object>> containers() {
        Map<String, Object> services = section("services");
        if (services.isEmpty()) {
            throw wrong("services", "there are none", "name at least one");
        }
        var containers = new ArrayList<Map<String, Object>>();
        services.forEach((name, service) -> {
            if (!(service instanceof Map<?, ?>)) {
                throw wrong("services." + name, "it is no map", "see Compose's reference");
            }
            containers.add(container(name, Json.asObject(service)));
        });
        return containers;
    }

    private Map<String, Object> container(String name, Map<String, Object> service) {
        String key = "services." + name;
        var container = new LinkedHashMap<String, Object>();
        container.put("name", name);
        container.putAll(service);
        if (service.containsKey("extends")) {
            throw wrong(key + ".extends", "it is not followed", "use a YAML anchor");
        }
        build(service, container);
        checkBinds(key, service.get("volumes"));
        environment(key, service, container);
        if (service.containsKey("label_file")) {
            throw wrong(key + ".label_file", "it is not read", "write its lines as 'labels'");
        }
        return container;
    }

    /** Contexts are relative to this file, and the manifest may be elsewhere. */
    private void build(Map<String, Object> service, Map<String, Object> container) {
        Object build = service.get("build");
        Object context = build instanceof Map<?, ?> map ? map.get("context") : build;
        if (!(context instanceof String text) || text.matches("[a-z+]+://.*|git@.*")) {
            return;
        }
        String absolute = folder.resolve(text).normalize().toString();
        var copy =
                new LinkedHashMap<String, Object>(
                        build instanceof Map<?, ?> map ? Json.asObject(map) : Map.of());
        copy.put("context", absolute);
        container.put("build", copy);
    }

    private void checkBinds(String key, @Nullable Object volumes) {
        if (!(volumes instanceof List<?> list)) {
            return;
        }
        for (Object volume : list) {
            String source =
                    switch (volume) {
                        case String text when text.indexOf(':') > 0 ->
                                text.substring(0, text.indexOf(':'));
                        case Map<?, ?> map when "bind".equals(map.get("type")) ->
                                String.valueOf(map.get("source"));
                        default -> "";
                    };
            if (source.startsWith(".") || source.startsWith("~")) {
                throw wrong(
                        key + ".volumes",
                        "'" + source + "' is a folder of this machine",
                        "give it a name to keep it on the persistent disk, or make a file of it a config");
            }
        }
    }

    /**
     * Env files become part of {@code environment}, whose own entries come over them; a name
     * without a value is taken from the operator's environment, and left out where it is not set.
     */
    private void environment(
            String key, Map<String, Object> service, Map<String, Object> container) {
        if (!service.containsKey("env_file") && !service.containsKey("environment")) {
            return;
        }
        var all = new LinkedHashMap<String, @Nullable Object>();
        container.remove("env_file");
        Object files = service.get("env_file");
        for (Object item :
                files instanceof List<?> list ? list : files == null ? List.of() : List.of(files)) {
            envFile(key + ".env_file", item).forEach(all::put);
        }
        switch (service.get("environment")) {
            case Map<?, ?> map ->
                    map.forEach((name, value) ->
                            all.put(String.valueOf(name), "".equals(value) ? "" : value));
            case List<?> list ->
                    list.forEach(item -> {
                        String[] pair = String.valueOf(item).split("=", 2);
                        all.put(pair[0], pair.length == 2 ? pair[1] : null);
                    });
            case null -> {}
            default -> throw wrong(key + ".environment", "it is no map or list", "make it one");
        }
        var known = new LinkedHashMap<String, Object>();
        all.forEach((name, value) -> {
            Object found = value == null ? env.get(name) : value;
            if (found != null) {
                known.put(name, found);
            }
        });
        container.put("environment", known);
    }

    private Map<String, @Nullable String> envFile(String key, Object item) {
        Object path = item instanceof Map<?, ?> map ? map.get("path") : item;
        boolean required =
                !(item instanceof Map<?, ?> map && Boolean.FALSE.equals(map.get("required")));
        boolean raw = item instanceof Map<?, ?> map && "raw".equals(map.get("format"));
        if (!(path instanceof String text) || text.isEmpty()) {
            throw wrong(key, "it names no file", "give a path, or a list of paths");
        }
        if (raw) {
            throw wrong(key, "format 'raw' is not read", "leave it out and put values into ''");
        }
        Path found = folder.resolve(text);
        if (!required && !Files.exists(found)) {
            return Map.of();
        }
        return values(found, key, env);
    }

    private Map<String, @Nullable String> values(Path path, String key, Map<String, String> known) {
        try {
            return EnvFile.read(content(key, path), known);
        } catch (ComposeVariables.Wrong e) {
            throw new CliException(path + " (" + key + "): " + e.getMessage(), e);
        }
    }

    // --- secrets and configs

    /**
     * Those of {@code secrets} or {@code configs} that the manifest does not define, by content.
     */
    Map<String, Object> files(String key) {
        var contents = new LinkedHashMap<String, Object>();
        section(key)
                .forEach((name, definition) -> {
                    if (!defined.getOrDefault(key, Map.of()).containsKey(name)) {
                        contents.put(name, Json.of("content", contentOf(key, name, definition)));
                    }
                });
        return contents;
    }

    private String contentOf(String section, String name, @Nullable Object definition) {
        String key = section + "." + name;
        String remedy =
                "define it in the group: " + section + ": {" + name + ": {content: ((variable))}}";
        Map<?, ?> map = definition instanceof Map<?, ?> m ? m : Map.of();
        if (map.get("file") instanceof String path) {
            return content(key + ".file", folder.resolve(path));
        }
        if (map.get("content") instanceof String text) {
            return text;
        }
        if (map.get("environment") instanceof String variable) {
            String value = env.get(variable);
            if (value == null) {
                throw wrong(key + ".environment", variable + " is not set", "set it, or " + remedy);
            }
            return value;
        }
        throw wrong(key, "its content is not here", remedy);
    }

    private String content(String key, Path path) {
        try {
            if (Files.size(path) > LARGEST_CONTENT) {
                throw wrong(
                        key,
                        path + " is larger than 500 KiB",
                        "put it into the image or on a volume");
            }
            return Files.readString(path);
        } catch (CharacterCodingException e) {
            throw wrong(key, path + " is no UTF-8 text", "put it into the image or on a volume");
        } catch (IOException e) {
            throw wrong(
                    key,
                    Files.exists(path) ? "cannot read " + path : "there is no file " + path,
                    "paths are relative to the Compose file");
        }
    }
}
