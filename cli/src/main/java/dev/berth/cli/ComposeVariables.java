package dev.berth.cli;

import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Compose's variables in the values of a file: {@code $NAME}, {@code ${NAME}}, {@code
 * ${NAME:-default}}, {@code ${NAME-default}}, {@code ${NAME:?error}}, {@code ${NAME?error}}, {@code
 * ${NAME:+other}}, {@code ${NAME+other}}, nested in each other; {@code $$} is a dollar. One that is
 * not set is empty, as Compose has it, and told of once.
 */
final class ComposeVariables {
    private final Function<String, @Nullable String> values;
    private final Set<String> unset = new LinkedHashSet<>();

    ComposeVariables(Map<String, String> values) {
        this.values = values::get;
    }

    /** Names that were used without a default and are not set. */
    Set<String> unset() {
        return unset;
    }

    /** What is wrong with a text. */
    static final class Wrong extends RuntimeException {
        private static final long serialVersionUID = 1;

        Wrong(String message) {
            super(message);
        }
    }

    String applied(String text) {
        if (text.indexOf('$') < 0) {
            return text;
        }
        var result = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '$') {
                result.append(c);
                continue;
            }
            char next = i + 1 < text.length() ? text.charAt(i + 1) : ' ';
            if (next == '$') {
                result.append('$');
                i++;
            } else if (next == '{') {
                int end = closing(text, i + 2);
                result.append(braced(text.substring(i + 2, end)));
                i = end;
            } else if (isNameStart(next)) {
                int end = nameEnd(text, i + 1);
                result.append(plain(text.substring(i + 1, end)));
                i = end - 1;
            } else {
                throw new Wrong("a lone $ in '" + text + "'; write $$ for a dollar");
            }
        }
        return result.toString();
    }

    private static int closing(String text, int from) {
        int depth = 1;
        for (int i = from; i < text.length(); i++) {
            if (text.startsWith("${", i)) {
                depth++;
            } else if (text.charAt(i) == '}' && --depth == 0) {
                return i;
            }
        }
        throw new Wrong("a ${ without its } in '" + text + "'");
    }

    private static boolean isNameStart(char c) {
        return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
    }

    private static int nameEnd(String text, int from) {
        int end = from;
        while (end < text.length()
                && (isNameStart(text.charAt(end))
                        || end > from && Character.isDigit(text.charAt(end)))) {
            end++;
        }
        return end;
    }

    private String plain(String name) {
        String value = values.apply(name);
        if (value == null) {
            unset.add(name);
            return "";
        }
        return value;
    }

    private String braced(String inside) {
        int end = nameEnd(inside, 0);
        String name = inside.substring(0, end);
        String rest = inside.substring(end);
        if (name.isEmpty()) {
            throw new Wrong("'${" + inside + "}' names no variable");
        }
        if (rest.isEmpty()) {
            return plain(name);
        }
        boolean colon = rest.startsWith(":");
        String operator = rest.substring(colon ? 1 : 0);
        if (operator.isEmpty()) {
            throw new Wrong("'${" + inside + "}' is no variable of Compose");
        }
        String word = operator.substring(1);
        String value = values.apply(name);
        boolean there = value != null && !(colon && value.isEmpty());
        return switch (operator.charAt(0)) {
            case '-' -> there ? String.valueOf(value) : applied(word);
            case '+' -> there ? applied(word) : "";
            case '?' -> {
                if (!there) {
                    throw new Wrong(
                            "variable "
                                    + name
                                    + " is not set"
                                    + (word.isEmpty() ? "" : ": " + applied(word)));
                }
                yield String.valueOf(value);
            }
            default -> throw new Wrong("'${" + inside + "}' is no variable of Compose");
        };
    }
}
