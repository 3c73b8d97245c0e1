package dev.berth.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes trees as YAML: two spaces a level, list dashes at the indent of their key, text quoted
 * wherever a YAML 1.1 or 1.2 reader might take it for something else. What is written reads back as
 * the same tree.
 */
public final class YamlText {
    private YamlText() {}

    /** The whole document, without a marker, ending in a line end. */
    public static String write(@Nullable Object tree) {
        return String.join("\n", lines(tree)) + "\n";
    }

    /** The lines of the document, without line ends. */
    public static List<String> lines(@Nullable Object tree) {
        return switch (tree) {
            case Map<?, ?> map when !map.isEmpty() -> mapping(map);
            case List<?> list when !list.isEmpty() -> sequence(list);
            case String text when isBlock(text) -> block("", text);
            case null, default -> List.of(scalar(tree));
        };
    }

    private static List<String> mapping(Map<?, ?> map) {
        var lines = new ArrayList<String>();
        map.forEach((key, value) -> {
            String head = text(String.valueOf(key)) + ":";
            switch (value) {
                case null -> lines.add(head);
                case Map<?, ?> nested when !nested.isEmpty() -> {
                    lines.add(head);
                    mapping(nested).forEach(line -> lines.add(indented(line)));
                }
                case List<?> list when !list.isEmpty() -> {
                    lines.add(head);
                    lines.addAll(sequence(list));
                }
                case String text when isBlock(text) -> lines.addAll(block(head + " ", text));
                default -> lines.add(head + " " + scalar(value));
            }
        });
        return lines;
    }

    private static List<String> sequence(List<?> list) {
        var lines = new ArrayList<String>();
        for (Object item : list) {
            if (item == null) {
                lines.add("-");
                continue;
            }
            List<String> nested = lines(item);
            lines.add("- " + nested.getFirst());
            boolean inBlock = item instanceof String;
            nested.stream().skip(1).forEach(line -> lines.add(inBlock ? line : indented(line)));
        }
        return lines;
    }

    private static List<String> block(String head, String text) {
        var lines = new ArrayList<String>();
        boolean ended = text.endsWith("\n");
        lines.add(head + (ended ? "|" : "|-"));
        String body = ended ? text.substring(0, text.length() - 1) : text;
        for (String line : body.split("\n", -1)) {
            lines.add(indented(line));
        }
        return lines;
    }

    private static String indented(String line) {
        return line.isEmpty() ? line : "  " + line;
    }

    /** Text that is best shown line by line, and survives it. */
    private static boolean isBlock(String text) {
        return text.indexOf('\n') > 0
                && !text.endsWith("\n\n")
                && !Character.isWhitespace(text.charAt(0))
                && text.chars().allMatch(c -> c == '\n' || isPlainCharacter(c))
                && text.lines().noneMatch(line -> line.isBlank() && !line.isEmpty());
    }

    private static String scalar(@Nullable Object value) {
        return switch (value) {
            case null -> "null";
            case String text -> text(text);
            case Map<?, ?> map -> "{}";
            case List<?> list -> "[]";
            default -> String.valueOf(value);
        };
    }

    private static String text(String text) {
        if (!text.chars().allMatch(YamlText::isPlainCharacter)) {
            return escaped(text);
        }
        return isPlain(text) ? text : "'" + text.replace("'", "''") + "'";
    }

    private static boolean isPlain(String text) {
        if (text.isEmpty() || YamlScalars.needsQuotes(text)) {
            return false;
        }
        boolean dashed = text.charAt(0) == '-' && text.length() > 1 && text.charAt(1) != ' ';
        return (dashed || "-?:,[]{}#&*!|>'\"%@`".indexOf(text.charAt(0)) < 0)
                && !text.startsWith("---")
                && !text.startsWith("...")
                && !text.contains(": ")
                && !text.contains(" #")
                && !text.endsWith(":")
                && text.strip().equals(text);
    }

    /** Printable and neither a tab nor a line end in any version of YAML. */
    private static boolean isPlainCharacter(int c) {
        return c >= 0x20 && c < 0x7f || c >= 0xa1 && c < 0x2028 || c > 0x2029 && c < 0xd800;
    }

    private static String escaped(String text) {
        var out = new StringBuilder("\"");
        text.chars()
                .forEach(c -> {
                    switch (c) {
                        case '"' -> out.append("\\\"");
                        case '\\' -> out.append("\\\\");
                        case '\n' -> out.append("\\n");
                        case '\t' -> out.append("\\t");
                        case '\r' -> out.append("\\r");
                        default -> {
                            boolean pair = Character.isSurrogate((char) c);
                            if (isPlainCharacter(c) || pair) {
                                out.append((char) c);
                            } else {
                                out.append("\\u%04x".formatted(c));
                            }
                        }
                    }
                });
        return out.append('"').toString();
    }
}
