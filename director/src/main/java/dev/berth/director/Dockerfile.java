package dev.berth.director;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What the text of a Dockerfile stands on. */
record Dockerfile(String text) {
    /**
     * Images of its FROM lines, each once, in their order; stages, {@code scratch} and references
     * with variables are none.
     */
    List<String> bases() {
        var bases = new ArrayList<String>();
        Set<String> stages = new HashSet<>();
        for (String line : text.lines().toList()) {
            List<String> words = words(line);
            if (words.isEmpty()) {
                continue;
            }
            String base = words.get(1);
            if (isImage(base, stages) && !bases.contains(base)) {
                bases.add(base);
            }
            if (words.size() == 4 && words.get(2).equalsIgnoreCase("AS")) {
                stages.add(words.get(3).toLowerCase(Locale.ROOT));
            }
        }
        return bases;
    }

    private static boolean isImage(String base, Set<String> stages) {
        return !base.equals("scratch")
                && !base.contains("$")
                && !stages.contains(base.toLowerCase(Locale.ROOT));
    }

    /** Words of a FROM line without its options; empty for any other. */
    private static List<String> words(String line) {
        List<String> words = new ArrayList<>(List.of(line.strip().split("\\s+")));
        words.removeIf(word -> word.startsWith("--"));
        return words.size() < 2 || !words.getFirst().equalsIgnoreCase("FROM") ? List.of() : words;
    }

    /** Where an image is to be taken from instead. */
    interface Copies {
        String of(String base) throws IOException, InterruptedException;
    }

    /** The same Dockerfile on copies of its bases; lines keep their numbers. */
    Dockerfile on(Copies copies) throws IOException, InterruptedException {
        var known = new java.util.HashMap<String, String>();
        for (String base : bases()) {
            known.put(base, copies.of(base));
        }
        var lines = new ArrayList<String>();
        Set<String> stages = new HashSet<>();
        for (String line : text.lines().toList()) {
            lines.add(on(line, known, stages));
        }
        return new Dockerfile(String.join("\n", lines) + "\n");
    }

    /** The same with a label on each stage, so that what a build leaves behind can be told. */
    Dockerfile labelled(String key, String value) {
        var lines = new ArrayList<String>();
        for (String line : text.lines().toList()) {
            lines.add(line);
            if (!words(line).isEmpty() && !line.endsWith("\\")) {
                lines.add("LABEL " + key + "=\"" + value + "\"");
            }
        }
        return new Dockerfile(String.join("\n", lines) + "\n");
    }

    private static String on(String line, Map<String, String> known, Set<String> stages) {
        List<String> words = words(line);
        if (words.isEmpty()) {
            return line;
        }
        String base = words.get(1);
        String copy = isImage(base, stages) ? known.get(base) : null;
        if (words.size() == 4) {
            stages.add(words.get(3).toLowerCase(Locale.ROOT));
        }
        if (copy == null) {
            return line;
        }
        var all = new ArrayList<>(List.of(line.strip().split("\\s+")));
        all.set(all.indexOf(base), copy);
        return String.join(" ", all);
    }

    /** Without the text, which may hold secrets (rule R8). */
    @Override
    public String toString() {
        return "Dockerfile[on " + bases() + "]";
    }
}
