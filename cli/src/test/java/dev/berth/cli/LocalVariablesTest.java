package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LocalVariablesTest {
    @TempDir Path folder;
    private final LocalVariables variables = new LocalVariables();

    private String applied(String text) {
        return variables.applied(text, Map.of("V_name", "from-env", "VX", "no"));
    }

    /** Without values the document goes out as it is: comments, order and line numbers stay. */
    @Test
    void nothingGiven() {
        String text = "# why\nname:   ((name))\n";
        assertThat(applied(text)).isSameAs(text);
    }

    /**
     * A value keeps its type; inside of a text it becomes text; what has no value is left alone.
     */
    @Test
    void values() {
        variables.values.add("count=2");
        variables.values.add("map={a: [1]}");
        assertThat(
                        applied(
                                "c: ((count))\nt: x-((count))-y\nm: ((map))\nk: ((map.a))\nleft: ((other))\n"))
                .isEqualTo("c: 2\nt: x-2-y\nm:\n  a:\n  - 1\nk:\n- 1\nleft: ((other))\n");
    }

    /** Environment, files of names, files of text, single values: the later wins. */
    @Test
    void precedence() throws Exception {
        variables.prefixes.add("V");
        assertThat(applied("((name))")).isEqualTo("from-env\n");
        variables.maps.add(Files.writeString(folder.resolve("vars.yml"), "name: from-map\n"));
        assertThat(applied("((name))")).isEqualTo("from-map\n");
        Path text = Files.writeString(folder.resolve("text"), "from: file");
        variables.files.add("name=" + text);
        assertThat(applied("((name))")).isEqualTo("'from: file'\n");
        variables.values.add("name=from-value");
        assertThat(applied("((name))")).isEqualTo("from-value\n");
    }

    /** What cannot be meant is refused, and no value is repeated in the refusal. */
    @Test
    void refusals() throws Exception {
        variables.values.add("planted-secret");
        assertThatThrownBy(() -> applied("a: b"))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("NAME=VALUE")
                .hasMessageNotContaining("planted");
        variables.values.set(0, "m={a: 1}");
        assertThatThrownBy(() -> applied("a: x((m))")).hasMessageContaining("variable 'm'");
        variables.values.set(0, "m=[planted-secret");
        assertThatThrownBy(() -> applied("a: b")).hasMessageNotContaining("planted");
        variables.values.clear();
        variables.maps.add(Files.writeString(folder.resolve("list.yml"), "- a\n"));
        assertThatThrownBy(() -> applied("a: b")).hasMessageContaining("names and values");
        variables.maps.set(0, folder.resolve("absent.yml"));
        assertThatThrownBy(() -> applied("a: b")).hasMessageContaining("no such file");
    }
}
