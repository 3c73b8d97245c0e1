package dev.berth.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A {@code ((name))} or {@code ((name.key))} in a text.
 *
 * @param written with its parentheses
 * @param name of the variable, as written: absolute when it begins with a slash
 * @param keys path into its value
 */
public record Placeholder(String written, String name, List<String> keys) {
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_\\-/.]+");

    /** Every placeholder of a text, also malformed ones. */
    static List<String> inside(String text) {
        var found = new ArrayList<String>();
        int from = text.indexOf("((");
        while (from >= 0) {
            int end = text.indexOf("))", from + 2);
            if (end < 0) {
                break;
            }
            found.add(text.substring(from, end + 2));
            from = text.indexOf("((", end + 2);
        }
        return found;
    }

    /** Whether the text is one placeholder and nothing else. */
    static boolean isWhole(String text) {
        return text.startsWith("((") && text.indexOf("))", 2) == text.length() - 2;
    }

    /** What is wrong with a placeholder, in BOSH's words; empty when nothing is. */
    static Optional<String> fault(String written) {
        String name = inner(written);
        return nameFault(name, true);
    }

    /** What is wrong with the name of a definition; empty when nothing is. */
    static Optional<String> definitionFault(String name) {
        return nameFault(name, false);
    }

    private static Optional<String> nameFault(String name, boolean dotsAllowed) {
        String quoted = "Variable name '" + name + "' ";
        if (name.indexOf('!') >= 0) {
            return Optional.of(
                    quoted
                            + "contains invalid character '!'. If it is included for spiff, it should"
                            + " only be at the beginning of the name. Note: it will not be considered"
                            + " a part of the name");
        }
        if (!NAME.matcher(name).matches() || !dotsAllowed && name.indexOf('.') >= 0) {
            return Optional.of(
                    quoted
                            + "must only contain alphanumeric, underscores, dashes, or forward slash"
                            + " characters");
        }
        if (name.endsWith("/")) {
            return Optional.of(quoted + "must not end with a forward slash");
        }
        if (name.contains("//")) {
            return Optional.of(quoted + "must not contain two consecutive forward slashes");
        }
        String syntax = quoted + "syntax error: ";
        int slash = name.lastIndexOf('/');
        if (slash > 0 && name.substring(0, slash).indexOf('.') >= 0) {
            return Optional.of(syntax + "Must not contain dots before the last slash");
        }
        if (name.substring(slash + 1).startsWith(".")) {
            return Optional.of(syntax + "Must not have segment starting with a dot");
        }
        if (name.endsWith(".")) {
            return Optional.of(syntax + "Must not end name with a dot");
        }
        if (name.contains("..")) {
            return Optional.of(syntax + "Must not contain consecutive dots");
        }
        return Optional.empty();
    }

    /** Reads a placeholder without {@link #fault}. */
    static Placeholder parse(String written) {
        String name = inner(written);
        int slash = name.lastIndexOf('/');
        String[] parts = name.substring(slash + 1).split("\\.");
        return new Placeholder(
                written,
                name.substring(0, slash + 1) + parts[0],
                List.of(parts).subList(1, parts.length));
    }

    private static String inner(String written) {
        String inner = written.substring(2, written.length() - 2);
        return inner.startsWith("!") ? inner.substring(1) : inner;
    }
}
