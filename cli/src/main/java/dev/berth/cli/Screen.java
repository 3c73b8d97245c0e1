package dev.berth.cli;

import dev.berth.model.Json;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a command shows: lines and tables for people, or with {@code --json} the stock CLI's JSON
 * shape. Tables have a header on a terminal only, so that piped rows stay bare.
 */
final class Screen {
    private final PrintStream out;
    private final boolean json;
    private final boolean terminal;
    private final List<String> lines = new ArrayList<>();
    private final List<Object> tables = new ArrayList<>();

    Screen(PrintStream out, boolean json, boolean terminal) {
        this.out = out;
        this.json = json;
        this.terminal = terminal;
    }

    boolean isJson() {
        return json;
    }

    boolean isTerminal() {
        return terminal;
    }

    void line(String text) {
        if (json) {
            lines.add(text);
        } else {
            out.println(text);
        }
    }

    /** Text that is continued on the same line. */
    void part(String text) {
        if (!json) {
            out.print(text);
            out.flush();
        }
    }

    /**
     * @param content what the rows are, in one word: {@code vms}
     */
    void table(String content, List<String> header, List<List<@Nullable String>> rows) {
        if (json) {
            tables.add(tree(content, header, rows));
            return;
        }
        var all = new ArrayList<List<String>>();
        if (terminal) {
            all.add(header);
        }
        rows.forEach(
                row -> all.add(row.stream().map(c -> c == null || c.isEmpty() ? "-" : c).toList()));
        int[] widths = new int[header.size()];
        for (List<String> row : all) {
            for (int i = 0; i < row.size(); i++) {
                widths[i] =
                        Math.max(
                                widths[i],
                                row.get(i).lines().mapToInt(String::length).max().orElse(0));
            }
        }
        all.forEach(row -> print(row, widths));
        if (terminal) {
            out.println();
            out.println(rows.size() + " " + content);
        }
    }

    private void print(List<String> row, int[] widths) {
        int height = row.stream().mapToInt(c -> (int) c.lines().count()).max().orElse(1);
        for (int line = 0; line < height; line++) {
            var text = new StringBuilder();
            for (int i = 0; i < row.size(); i++) {
                List<String> cell = row.get(i).lines().toList();
                String part = line < cell.size() ? cell.get(line) : "";
                text.append(part)
                        .append(" ".repeat(Math.max(0, widths[i] - part.length())))
                        .append("  ");
            }
            out.println(text.toString().stripTrailing());
        }
    }

    private static Map<String, Object> tree(
            String content, List<String> header, List<List<@Nullable String>> rows) {
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
        return Json.of("Content", content, "Header", names, "Rows", trees, "Notes", null);
    }

    private static String key(String title) {
        return title.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_").replaceAll("^_|_$", "");
    }

    /** Prints the collected JSON; does nothing otherwise. */
    void finish() {
        if (json) {
            out.println(Json.write(Json.of("Tables", tables, "Blocks", null, "Lines", lines)));
        }
    }
}
