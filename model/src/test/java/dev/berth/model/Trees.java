package dev.berth.model;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import org.jspecify.annotations.Nullable;

/** Random trees, rich in text that readers take for something else. */
final class Trees {
    private Trees() {}

    static Arbitrary<@Nullable Object> any() {
        return ofDepth(3);
    }

    private static Arbitrary<@Nullable Object> ofDepth(int depth) {
        if (depth == 0) {
            return leaf();
        }
        Arbitrary<@Nullable Object> below = ofDepth(depth - 1);
        return Arbitraries.oneOf(
                leaf(), below.list().ofMaxSize(3).map(list -> (Object) list), mapping(below));
    }

    static Arbitrary<@Nullable Object> mapping(Arbitrary<@Nullable Object> values) {
        return Arbitraries.maps(text(), values).ofMaxSize(3).map(map -> (Object) map);
    }

    static Arbitrary<@Nullable Object> leaf() {
        return Arbitraries.oneOf(
                        text().map(t -> (Object) t),
                        Arbitraries.longs().map(n -> (Object) n),
                        Arbitraries.of(true, false).map(b -> (Object) b),
                        Arbitraries.of(1.5, -0.25, 1e10, 1.0e-7).map(d -> (Object) d))
                .injectNull(0.1);
    }

    static Arbitrary<String> text() {
        return Arbitraries.oneOf(
                Arbitraries.strings().ofMaxLength(8),
                Arbitraries.strings().alpha().ofMinLength(1).ofMaxLength(6),
                Arbitraries.strings().withChars("ab \n:#'\"-\t\\|").ofMaxLength(12),
                Arbitraries.of(
                        "yes",
                        "No",
                        "~",
                        "null",
                        "",
                        "1.10",
                        "017",
                        "22:22",
                        "2001-01-01",
                        "1e3",
                        "-",
                        "- a",
                        "a: b",
                        "a #b",
                        "#a",
                        "((x))",
                        "a\nb",
                        "a\n\nb\n",
                        " a",
                        "a ",
                        "<<",
                        "=",
                        "---",
                        "...",
                        "%a",
                        "@a",
                        "é",
                        "\u0007",
                        "\uFEFFa",
                        "\u0085",
                        "0x1f",
                        "1_000",
                        "0b1",
                        "-dash",
                        "*a",
                        "&a",
                        "!a",
                        "[a",
                        "{a}",
                        "\n"));
    }
}
