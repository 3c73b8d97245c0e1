package dev.berth.model;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;

/** One reading of one text: composes nodes, then builds values and marks side by side. */
final class YamlReading {
    /** A value and where it stands. */
    record Built(@Nullable Object value, Mark mark) {}

    private final int code;
    private final String complaint;
    private final Set<Node> open = Collections.newSetFromMap(new IdentityHashMap<>());
    private int nodes;

    YamlReading(int code, String complaint) {
        this.code = code;
        this.complaint = complaint;
    }

    Built read(String text) {
        checkSize(text);
        try {
            Node root = yaml().compose(new StringReader(text));
            return root == null ? new Built(null, Mark.at(1)) : build(root);
        } catch (MarkedYAMLException e) {
            // Its own text quotes the line, and a line may hold a secret.
            var at = e.getProblemMark();
            String where = at == null ? null : spot(at.getLine() + 1, at.getColumn() + 1);
            String context = e.getContext() == null ? "" : e.getContext().strip() + ", ";
            throw refuse(where, context + String.valueOf(e.getProblem()).strip());
        } catch (YAMLException e) {
            throw refuse(null, String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
        }
    }

    private void checkSize(String text) {
        if (text.length() > YamlDocument.MAX_CHARACTERS) {
            throw refuse(null, "more than " + YamlDocument.MAX_CHARACTERS + " characters");
        }
        int line = 1;
        int start = 0;
        while (start < text.length()) {
            int end = text.indexOf('\n', start);
            end = end < 0 ? text.length() : end;
            if (end - start > YamlDocument.MAX_LINE) {
                throw refuse(
                        "line " + line,
                        "longer than " + YamlDocument.MAX_LINE + " characters; break the line");
            }
            start = end + 1;
            line++;
        }
    }

    private static Yaml yaml() {
        var options = new LoaderOptions();
        options.setCodePointLimit(YamlDocument.MAX_CHARACTERS);
        options.setNestingDepthLimit(YamlDocument.MAX_DEPTH);
        options.setMaxAliasesForCollections(YamlDocument.MAX_ALIASES);
        var dumping = new DumperOptions();
        return new Yaml(
                new SafeConstructor(options),
                new Representer(dumping),
                dumping,
                options,
                new YamlScalars());
    }

    private Built build(Node node) {
        if (++nodes > YamlDocument.MAX_NODES) {
            throw refuse(spot(node), "more than " + YamlDocument.MAX_NODES + " values");
        }
        if (!open.add(node)) {
            throw refuse(spot(node), "an alias inside of what it stands for");
        }
        try {
            return switch (node) {
                case ScalarNode scalar -> scalar(scalar);
                case SequenceNode sequence -> sequence(sequence);
                case MappingNode mapping -> mapping(mapping);
                default -> throw refuse(spot(node), "an unexpected " + node.getNodeId());
            };
        } finally {
            open.remove(node);
        }
    }

    private Built sequence(SequenceNode node) {
        requireTag(node, Tag.SEQ);
        var values = new ArrayList<@Nullable Object>();
        var marks = new ArrayList<Mark>();
        for (Node item : node.getValue()) {
            Built built = build(item);
            values.add(built.value);
            marks.add(built.mark);
        }
        return new Built(
                Collections.unmodifiableList(values),
                new Mark(line(node), null, Map.of(), List.copyOf(marks)));
    }

    private Built mapping(MappingNode node) {
        requireTag(node, Tag.MAP);
        var values = new LinkedHashMap<String, @Nullable Object>();
        var marks = new HashMap<String, Mark>();
        var written = new HashMap<String, Integer>();
        for (NodeTuple tuple : node.getValue()) {
            String key = key(tuple.getKeyNode());
            Integer earlier = written.put(key, line(tuple.getKeyNode()));
            if (earlier != null) {
                throw refuse(
                        spot(tuple.getKeyNode()),
                        "duplicate key '" + key + "', first given on line " + earlier);
            }
            if (tuple.getKeyNode().getTag().equals(Tag.MERGE)) {
                merge(tuple.getValueNode(), values, marks);
            } else {
                Built built = build(tuple.getValueNode());
                values.put(key, built.value);
                marks.put(key, moved(built.mark, line(tuple.getKeyNode())));
            }
        }
        return new Built(
                Collections.unmodifiableMap(values),
                new Mark(line(node), null, Map.copyOf(marks), List.of()));
    }

    /** Keys written out win over merged ones, earlier merged ones over later. */
    private void merge(Node source, Map<String, @Nullable Object> values, Map<String, Mark> marks) {
        List<Node> sources =
                source instanceof SequenceNode sequence ? sequence.getValue() : List.of(source);
        for (Node each : sources) {
            Built built = build(each);
            if (!(built.value instanceof Map<?, ?> map)) {
                throw refuse(spot(each), "'<<' takes a mapping or a list of mappings");
            }
            map.forEach((name, value) -> {
                String key = String.valueOf(name);
                if (!values.containsKey(key)) {
                    values.put(key, value);
                    marks.put(key, built.mark.key(key));
                }
            });
        }
    }

    private String key(Node node) {
        if (node instanceof ScalarNode scalar && !scalar.getTag().equals(Tag.NULL)) {
            return scalar.getValue();
        }
        throw refuse(spot(node), "a key must be text");
    }

    private Built scalar(ScalarNode node) {
        String text = node.getValue();
        Tag tag = node.getTag();
        Mark mark = Mark.at(line(node));
        if (tag.equals(Tag.STR) || tag.equals(Tag.MERGE)) {
            return new Built(text, mark);
        }
        if (tag.equals(Tag.NULL)) {
            return new Built(null, mark);
        }
        Object value = typed(tag, text);
        if (value == null) {
            throw refuse(spot(node), "the tag " + tag.getValue() + " is not allowed here");
        }
        return new Built(value, new Mark(line(node), text, Map.of(), List.of()));
    }

    private static @Nullable Object typed(Tag tag, String text) {
        if (tag.equals(Tag.BOOL)) {
            return YamlScalars.flag(text);
        }
        if (tag.equals(Tag.INT)) {
            return YamlScalars.integer(text);
        }
        return tag.equals(Tag.FLOAT) ? YamlScalars.decimal(text) : null;
    }

    private void requireTag(Node node, Tag wanted) {
        if (!node.getTag().equals(wanted)) {
            throw refuse(spot(node), "the tag " + node.getTag().getValue() + " is not allowed");
        }
    }

    /** A value is looked for where its key is, not where its first line begins. */
    private static Mark moved(Mark mark, int line) {
        return new Mark(line, mark.text(), mark.keys(), mark.items());
    }

    private static int line(Node node) {
        return node.getStartMark().getLine() + 1;
    }

    private static String spot(Node node) {
        return spot(line(node), node.getStartMark().getColumn() + 1);
    }

    private static String spot(int line, int column) {
        return "line " + line + ", column " + column;
    }

    private ProblemException refuse(@Nullable String where, String why) {
        String at = where == null ? "" : where + ": ";
        return new ProblemException(
                List.of(new Problem(code, null, complaint + ": " + at + why, null)));
    }
}
