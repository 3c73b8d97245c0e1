package dev.berth.cli;

import dev.berth.model.Json;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a command shows, in the stock CLI's three shapes: for a person at a terminal (headers,
 * notes, colours), for a pipe (bare rows, cells ended by tabs), or with {@code --json} one JSON
 * object at the end.
 */
final class Screen {
    /** Whom the output is for. */
    enum Style {
        TERMINAL,
        PIPE,
        JSON
    }

    private static final String RED = "31";
    private static final String GREEN = "32";
    private static final String BOLD = "1";

    /** What a column of states shows when there is nothing to look into. */
    private static final Set<String> WELL =
            Set.of(
                    "",
                    "-",
                    "running",
                    "up",
                    "done",
                    "started",
                    "stopped",
                    "detached",
                    "none",
                    "healthy",
                    "starting",
                    "processing",
                    "queued",
                    "waiting");

    private final PrintStream out;
    private final PrintStream err;
    private final Style style;
    private final boolean colours;
    private final List<Object> lines = new ArrayList<>();
    private final List<Object> blocks = new ArrayList<>();
    private final List<Object> tables = new ArrayList<>();

    /**
     * @param colours wished; they appear on a terminal only
     */
    Screen(PrintStream out, PrintStream err, Style style, boolean colours) {
        this.out = out;
        this.err = err;
        this.style = style;
        this.colours = colours && style == Style.TERMINAL;
    }

    boolean isTerminal() {
        return style == Style.TERMINAL;
    }

    boolean isJson() {
        return style == Style.JSON;
    }

    /** What was asked for, or happened: shown in every shape. */
    void line(String text) {
        if (!isJson()) {
            out.println(text);
        } else if (!text.isEmpty()) {
            lines.add(text);
        }
    }

    /** What helps a person and would be in the way of a pipe. */
    void note(String text) {
        if (style != Style.PIPE) {
            line(text);
        }
    }

    /** A part of a line that is still being written; the JSON shape takes whole lines only. */
    void part(String text) {
        if (!isJson()) {
            out.print(text);
            out.flush();
        }
    }

    /** A whole line that was shown in parts, for the JSON shape. */
    void block(String text) {
        if (isJson()) {
            blocks.add(text);
        }
    }

    /** Trouble, in words; goes to standard error, so that a pipe stays clean. */
    void error(String text) {
        if (isJson()) {
            lines.add(text);
        } else {
            out.flush();
            err.println(red(text));
        }
    }

    String red(String text) {
        return painted(RED, text);
    }

    String green(String text) {
        return painted(GREEN, text);
    }

    private String painted(String colour, String text) {
        return colours && !text.isEmpty() ? "\u001b[" + colour + "m" + text + "\u001b[0m" : text;
    }

    void table(String content, List<String> header, List<List<@Nullable String>> rows) {
        table(content, header, rows, List.of());
    }

    /**
     * @param content what the rows are, in one word: {@code vms}
     * @param rows null and empty cells show as {@code -}, a first cell like the one above it as
     *     {@code ~}; a row that begins with {@code ~} belongs to the one above and is not counted
     * @param notes below the table
     */
    void table(
            String content,
            List<String> header,
            List<List<@Nullable String>> rows,
            List<String> notes) {
        if (isJson()) {
            tables.add(tree(content, header, rows, notes));
            return;
        }
        List<List<String>> shown = withoutRepeats(rows);
        int[] widths = widths(header, shown);
        if (isTerminal()) {
            print(header, widths, (column, text) -> painted(BOLD, text));
        }
        shown.forEach(row -> print(row, widths, (column, text) -> mood(header.get(column), text)));
        if (isTerminal()) {
            if (!notes.isEmpty()) {
                out.println();
                notes.forEach(out::println);
            }
            long count = rows.stream().filter(row -> !"~".equals(row.getFirst())).count();
            out.println();
            out.println(count + " " + content);
        }
    }

    private static List<List<String>> withoutRepeats(List<List<@Nullable String>> rows) {
        var shown = new ArrayList<List<String>>();
        String last = null;
        for (List<@Nullable String> row : rows) {
            var cells =
                    new ArrayList<>(
                            row.stream().map(c -> c == null || c.isEmpty() ? "-" : c).toList());
            if (cells.getFirst().equals(last)) {
                cells.set(0, "~");
            } else {
                last = cells.getFirst();
            }
            shown.add(cells);
        }
        return shown;
    }

    private int[] widths(List<String> header, List<List<String>> rows) {
        var all = new ArrayList<>(rows);
        if (isTerminal()) {
            all.add(header);
        }
        int[] widths = new int[header.size()];
        for (List<String> row : all) {
            for (int i = 0; i < row.size(); i++) {
                int width = row.get(i).lines().mapToInt(String::length).max().orElse(0);
                widths[i] = Math.max(widths[i], width);
            }
        }
        return widths;
    }

    private interface Paint {
        String of(int column, String text);
    }

    private void print(List<String> row, int[] widths, Paint paint) {
        int height = row.stream().mapToInt(c -> (int) c.lines().count()).max().orElse(1);
        for (int line = 0; line < height; line++) {
            var text = new StringBuilder();
            for (int i = 0; i < row.size(); i++) {
                List<String> cell = row.get(i).lines().toList();
                String part = line < cell.size() ? cell.get(line) : "";
                text.append(paint.of(i, part))
                        .append(" ".repeat(widths[i] - part.length()))
                        .append(isTerminal() ? "  " : "\t");
            }
            out.println(isTerminal() ? text.toString().stripTrailing() : text);
        }
    }

    private String mood(String title, String text) {
        boolean tells = title.endsWith("State") || title.equals("Health");
        return tells && !WELL.contains(text) ? red(text) : text;
    }

    private static Map<String, Object> tree(
            String content,
            List<String> header,
            List<List<@Nullable String>> rows,
            List<String> notes) {
        var names = new LinkedHashMap<String, Object>();
        header.forEach(title -> names.put(key(title), title));
        var keys = List.copyOf(names.keySet());
        var trees = new ArrayList<Object>();
        for (List<@Nullable String> row : rows) {
            var cells = new LinkedHashMap<String, Object>();
            for (int i = 0; i < keys.size(); i++) {
                String cell = row.get(i);
                cells.put(keys.get(i), cell == null ? "" : cell);
            }
            trees.add(cells);
        }
        return Json.of(
                "Content",
                content,
                "Header",
                names,
                "Rows",
                trees,
                "Notes",
                notes.isEmpty() ? null : notes);
    }

    private static String key(String title) {
        return title.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_").replaceAll("^_|_$", "");
    }

    /** Prints the collected JSON; does nothing otherwise. */
    void finish(int exitCode) {
        if (!isJson()) {
            return;
        }
        if (exitCode != 0) {
            lines.add("Exit code " + exitCode);
        }
        out.println(
                Json.write(
                        Json.of(
                                "Tables",
                                tables.isEmpty() ? null : tables,
                                "Blocks",
                                blocks.isEmpty() ? null : blocks,
                                "Lines",
                                lines)));
    }
}
