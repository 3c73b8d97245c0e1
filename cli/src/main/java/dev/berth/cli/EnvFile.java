package dev.berth.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The lines of an env file as Compose reads them. */
final class EnvFile {
    private static final Pattern LINE =
            Pattern.compile(
                    "\\s*(?:export\\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\\s*(?:=(.*))?", Pattern.DOTALL);

    private EnvFile() {}

    /**
     * Names and values; a name without a value is null: it comes from the operator's environment.
     * Single quotes keep all as it is; in double quotes and without any, variables have their
     * values.
     *
     * @param env for variables in values; names of the file itself count as well
     */
    static Map<String, @Nullable String> read(String text, Map<String, String> env) {
        var result = new LinkedHashMap<String, @Nullable String>();
        var known = new LinkedHashMap<>(env);
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            if (line.isBlank() || line.strip().startsWith("#")) {
                continue;
            }
            Matcher matcher = LINE.matcher(line);
            if (!matcher.matches()) {
                // The line may hold a secret: it is not repeated.
                throw new ComposeVariables.Wrong("line " + number + " is not NAME=VALUE");
            }
            String name = matcher.group(1);
            String raw = matcher.group(2);
            String value = raw == null ? null : value(raw.strip(), known, number);
            result.put(name, value);
            if (value != null) {
                known.putIfAbsent(name, value);
            }
        }
        return result;
    }

    private static String value(String raw, Map<String, String> known, int number) {
        if (raw.startsWith("'")) {
            return quoted(raw, '\'', number);
        }
        var variables = new ComposeVariables(known);
        if (raw.startsWith("\"")) {
            String inside = quoted(raw, '"', number);
            return variables.applied(
                    inside.replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\"));
        }
        String bare = raw.replaceFirst("(^|\\s+)#.*$", "");
        return variables.applied(bare);
    }

    private static String quoted(String raw, char quote, int number) {
        for (int i = 1; i < raw.length(); i++) {
            if (raw.charAt(i) == '\\' && quote == '"') {
                i++;
            } else if (raw.charAt(i) == quote) {
                return raw.substring(1, i);
            }
        }
        throw new ComposeVariables.Wrong(
                "line " + number + " has a quote without its end; values are of one line");
    }
}
