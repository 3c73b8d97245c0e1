package dev.berth.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What of a build context stays here: the patterns of a {@code .dockerignore}, read as Docker's own
 * command reads them. The last pattern that fits a path, or a folder above it, decides.
 */
final class DockerIgnore {
    private record Rule(Pattern pattern, boolean keeps) {}

    private final List<Rule> rules = new ArrayList<>();

    DockerIgnore(String text) {
        for (String line : text.replace("\uFEFF", "").lines().toList()) {
            String pattern = line.strip();
            if (line.startsWith("#") || pattern.isEmpty()) {
                continue;
            }
            boolean keeps = pattern.startsWith("!");
            String path = clean(keeps ? pattern.substring(1).strip() : pattern);
            if (!path.isEmpty()) {
                rules.add(new Rule(Pattern.compile(regex(path), Pattern.DOTALL), keeps));
            }
        }
    }

    /** Whether a file or folder is left out; a path as {@code src/main/x}. */
    boolean ignores(String path) {
        boolean ignored = false;
        for (Rule rule : rules) {
            if (rule.keeps() == ignored && fits(rule.pattern(), path)) {
                ignored = !rule.keeps();
            }
        }
        return ignored;
    }

    /** Whether something below an ignored folder may be wanted all the same. */
    boolean hasExceptions() {
        return rules.stream().anyMatch(Rule::keeps);
    }

    private static boolean fits(Pattern pattern, String path) {
        for (int end = path.length(); end > 0; end = path.lastIndexOf('/', end - 1)) {
            if (pattern.matcher(path.substring(0, end)).matches()) {
                return true;
            }
        }
        return false;
    }

    /** Without {@code .}, {@code ..} and needless slashes: paths are relative to the context. */
    private static String clean(String pattern) {
        var parts = new ArrayList<String>();
        for (String part : pattern.split("/")) {
            if (part.equals("..") && !parts.isEmpty()) {
                parts.removeLast();
            } else if (!part.isEmpty() && !part.equals(".") && !part.equals("..")) {
                parts.add(part);
            }
        }
        return String.join("/", parts);
    }

    private static String regex(String pattern) {
        var out = new StringBuilder();
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            switch (c) {
                case '*' -> {
                    if (!pattern.startsWith("**", i)) {
                        out.append("[^/]*");
                    } else if (pattern.startsWith("**/", i)) {
                        out.append("(.*/)?");
                        i += 2;
                    } else {
                        out.append(".*");
                        i++;
                    }
                }
                case '?' -> out.append("[^/]");
                case '[' -> {
                    int end = pattern.indexOf(']', i + 2);
                    if (end < 0) {
                        out.append("\\[");
                    } else {
                        String set = pattern.substring(i + 1, end).replace("[", "\\[");
                        out.append('[').append(set.replace("&&", "&\\&")).append(']');
                        i = end;
                    }
                }
                case '\\' -> {
                    i = Math.min(i + 1, pattern.length() - 1);
                    out.append(Pattern.quote(String.valueOf(pattern.charAt(i))));
                }
                default -> out.append(Pattern.quote(String.valueOf(c)));
            }
        }
        return out.toString();
    }
}
