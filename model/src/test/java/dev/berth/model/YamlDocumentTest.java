package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class YamlDocumentTest {
    @Test
    void scalarsMeanWhatRubySaysButPortPairsDatesAndCommitIdsStayText() {
        var tree =
                YamlDocument.parse(
                                """
                                booleans: [yes, No, on, OFF, true, y]
                                integers: [017, 0x1f, 0b101, 1_000, -3, "5", 0o17, 09]
                                decimals: [1.5, .5, 1.439, 1e3, 12e4567]
                                text: ["22:22", 22:22, 12:30:45, 2001-01-01, 1.2.3, .inf, =, !!str 1]
                                nothing: [~, null, "", '~']
                                on: key
                                """)
                        .tree();
        assertThat(tree.get("booleans")).isEqualTo(List.of(true, false, true, false, true, "y"));
        assertThat(tree.get("integers"))
                .isEqualTo(List.of(15L, 31L, 5L, 1000L, -3L, "5", "0o17", "09"));
        assertThat(tree.get("decimals")).isEqualTo(List.of(1.5, 0.5, 1.439, "1e3", "12e4567"));
        assertThat(tree.get("text"))
                .isEqualTo(
                        List.of(
                                "22:22",
                                "22:22",
                                "12:30:45",
                                "2001-01-01",
                                "1.2.3",
                                ".inf",
                                "=",
                                "1"));
        assertThat(tree.get("nothing")).isEqualTo(Arrays.asList(null, null, "", "~"));
        assertThat(tree.get("on")).isEqualTo("key");
    }

    @Test
    void everyPathHasItsLineAlsoBelowAliasesAndMergedKeys() {
        var document =
                YamlDocument.parse(
                        """
                        base: &base
                          a: 1
                          b: 2
                        groups:
                        - name: web
                          <<: *base
                          b: 3
                        - *base
                        """);
        assertThat(document.tree().get("groups"))
                .isEqualTo(
                        List.of(Map.of("name", "web", "a", 1L, "b", 3L), Map.of("a", 1L, "b", 2L)));
        assertThat(document.place("groups[0].b")).isEqualTo("groups[0].b (line 7)");
        assertThat(document.line("groups[0].a")).isEqualTo(2);
        assertThat(document.line("groups[0].unknown.deeper")).isEqualTo(5);
        assertThat(document.line("")).isEqualTo(1);
    }

    @Test
    void syntaxErrorsSayLineAndColumnAndQuoteNothing() {
        assertThatThrownBy(() -> YamlDocument.parse("a: 1\npassword: [hunter2\nb: 2\n"))
                .hasMessageStartingWith(
                        "Incorrect YAML structure of the uploaded manifest: line 3, column 2: ")
                .hasMessageNotContaining("hunter2");
        assertThatThrownBy(() -> YamlDocument.parse("a:\n  b: 1\n  c: 2\n  b: 3\n"))
                .hasMessageEndingWith("line 4, column 3: duplicate key 'b', first given on line 2");
        assertThatThrownBy(() -> YamlDocument.parse("a: !ruby/object:Gem {}\n"))
                .hasMessageEndingWith("line 1, column 4: the tag !ruby/object:Gem is not allowed");
        assertThatThrownBy(() -> YamlDocument.parse("a: 1\n---\nb: 1\n"))
                .hasMessageContaining("expected a single document");
        assertThatThrownBy(() -> YamlDocument.parse("{[a]: 1}"))
                .hasMessageEndingWith("line 1, column 2: a key must be text");
    }

    @Test
    void bombsAreRefused() {
        var bomb = new StringBuilder("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
        for (int i = 1; i < 9; i++) {
            bomb.append("a%d: &a%d [".formatted(i, i));
            bomb.append(("*a" + (i - 1) + ",").repeat(10)).append("]\n");
        }
        assertThatThrownBy(() -> YamlDocument.parse(bomb.toString()))
                .hasMessageContaining("more than 500000 values");
        assertThatThrownBy(() -> YamlDocument.parse("[".repeat(2000)))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("Nesting Depth");
        assertThatThrownBy(() -> YamlDocument.parse("a: &a\n  b: *a\n"))
                .hasMessageContaining("an alias inside of what it stands for");
        assertThatThrownBy(() -> YamlDocument.parse("x".repeat(5_000_001)))
                .hasMessageEndingWith("more than 5000000 characters");
        assertThatThrownBy(() -> YamlDocument.parse("a: 1\nb: " + "x".repeat(200_000)))
                .hasMessageEndingWith("line 2: longer than 200000 characters; break the line");
    }

    @Property(tries = 300)
    void whatIsWrittenReadsBackAsTheSameTree(@ForAll("trees") @Nullable Object tree) {
        String written = YamlText.write(tree);
        assertThat(YamlDocument.parse(written).root()).as(written).isEqualTo(tree);
    }

    @Property(tries = 300)
    void anyTextIsReadOrRefusedWithAProblem(@ForAll String text) {
        try {
            YamlDocument.parse(text);
        } catch (ProblemException e) {
            assertThat(e.problems()).isNotEmpty();
        }
    }

    @Provide
    Arbitrary<@Nullable Object> trees() {
        return Trees.any();
    }
}
