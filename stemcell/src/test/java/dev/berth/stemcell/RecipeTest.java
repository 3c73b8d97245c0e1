package dev.berth.stemcell;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys change exactly when what a layer is made from does. */
final class RecipeTest {
    @TempDir Path dist = Path.of("");

    @Test
    void aNewAgentMakesTheStemcellStaleButKeepsItsDebianAndItsRuntime() throws IOException {
        Recipe before = withAgent("one");
        Recipe after = withAgent("two");

        assertThat(after.key()).isNotEqualTo(before.key());
        assertThat(after.rootKey()).isEqualTo(before.rootKey());
        assertThat(after.runtimeKey()).isEqualTo(before.runtimeKey());
    }

    @Test
    void theSameAgentBuiltAgainIsNoNewStemcell() throws IOException {
        assertThat(withAgent("one").key()).isEqualTo(withAgent("one").key());
    }

    @Test
    void anotherSuiteOrBaseIsAnotherRoot() throws IOException {
        String root = withAgent("one", "--suite=bookworm").rootKey();

        assertThat(withAgent("one", "--suite=trixie").rootKey()).isNotEqualTo(root);
        assertThat(withAgent("one", "--suite=bookworm", "--base=image:debian:12").rootKey())
                .isNotEqualTo(root);
    }

    @Test
    void aPackageMayBelongToOneSuiteOnly() {
        List<String> lines = List.of("docker.io", "trixie:docker-cli");

        assertThat(Recipe.forSuite(lines, "bookworm")).containsExactly("docker.io");
        assertThat(Recipe.forSuite(lines, "trixie")).containsExactly("docker.io", "docker-cli");
    }

    private Recipe withAgent(String content, String... words) throws IOException {
        Path lib = Files.createDirectories(dist.resolve("agent/lib"));
        Files.writeString(lib.resolve("agent.jar"), content);
        return Recipe.of(
                Options.parse(List.of(words), Map.of("BERTH_DIST", dist.toString(), "HOME", "/")));
    }
}
