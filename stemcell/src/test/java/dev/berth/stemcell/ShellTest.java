package dev.berth.stemcell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tool that fails says what it was for, how it ended, its last words and the way out. */
final class ShellTest {
    @TempDir Path directory = Path.of("");

    @Test
    void aFailureCarriesTheEndOfTheOutputAndTheRemedy() {
        assertThatThrownBy(() ->
                        shell().script(
                                        "packing",
                                        Duration.ofSeconds(10),
                                        "echo tar: No space left on device; exit 3"))
                .message()
                .contains("packing failed", "status 3", "No space left", "BERTH_HOME");
    }

    @Test
    void aToolThatDoesNotEndIsEnded() {
        assertThatThrownBy(() -> shell().script("waiting", Duration.ofMillis(50), "sleep 60"))
                .message()
                .contains("waiting failed", "not done after");
    }

    @Test
    void aMissingToolIsNamed() {
        assertThatThrownBy(
                        () -> shell().run("trying", Duration.ofSeconds(1), List.of("no-such-tool")))
                .message()
                .contains("trying failed", "no-such-tool");
    }

    @Test
    void theFailuresPeopleMeetHaveTheirOwnRemedies() {
        assertThat(Shell.remedy("E: Couldn't download packages", "-")).contains("--mirror");
        assertThat(Shell.remedy("keyring file not available", "-"))
                .contains("debian-archive-keyring");
        assertThat(Shell.remedy("mount: Operation not permitted", "-")).contains("root");
        assertThat(Shell.remedy("anything else", "-")).isEqualTo("-");
    }

    private Shell shell() {
        return new Shell(directory.resolve("log"));
    }
}
