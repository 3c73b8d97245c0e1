package dev.berth.stemcell;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Versions, the manifest, and the record of the newest stemcell. */
final class StemcellTest {
    private static final Instant NOW = Instant.parse("2026-01-02T00:00:30Z");
    @TempDir Path cache = Path.of("");

    @Test
    void versionsRiseWithTimeEvenWhenTheCacheIsGone() {
        assertThat(Stemcell.versionAfter(Optional.empty(), NOW)).isEqualTo("1.1440");
    }

    @Test
    void twoBuildsWithinAMinuteDiffer() throws IOException {
        assertThat(Stemcell.versionAfter(Optional.of(stemcell("1.1440")), NOW)).isEqualTo("1.1441");
    }

    @Test
    void theRecordReadsBackAsItWasWritten() throws IOException {
        Stemcell stemcell = stemcell("1.7");
        stemcell.record(cache);

        assertThat(Stemcell.current(cache)).contains(stemcell);
    }

    /** A copy of a cache must not point into the one it was copied from. */
    @Test
    void aCacheMayBeMovedAndOneOfEarlierIsUnderstood(@TempDir Path elsewhere) throws IOException {
        Stemcell stemcell = stemcell("1.7");
        stemcell.record(cache);
        assertThat(Files.readString(cache.resolve("current.json")))
                .doesNotContain(cache.toString());
        Files.copy(cache.resolve("current.json"), elsewhere.resolve("current.json"));
        Files.copy(stemcell.file(), elsewhere.resolve("s.tar"));
        assertThat(Stemcell.current(elsewhere).orElseThrow().file())
                .isEqualTo(elsewhere.resolve("s.tar"));

        Files.writeString(elsewhere.resolve("current.json"), stemcell.toJson());
        assertThat(Stemcell.current(elsewhere).orElseThrow().file())
                .isEqualTo(elsewhere.resolve("s.tar"));
    }

    @Test
    void aStemcellWhoseFileIsGoneOrCutIsNone() throws IOException {
        Stemcell stemcell = stemcell("1.7");
        stemcell.record(cache);
        Files.writeString(stemcell.file(), "cu");

        assertThat(Stemcell.current(cache)).isEmpty();
        Files.delete(stemcell.file());
        assertThat(Stemcell.current(cache)).isEmpty();
    }

    @Test
    void theManifestQuotesTheVersionSoThatItStaysText() {
        String manifest = Stemcell.manifest("1.10", "5ba1", "c0de", "amd64");

        assertThat(manifest)
                .startsWith("---\nname: bosh-docker-berth-debian\nversion: '1.10'\n")
                .contains("operating_system: berth-debian\n", "api_version: 3\n", "sha1: 5ba1\n")
                .contains("stemcell_formats:\n- warden-tar\n- general-tar\n")
                .contains("  content_digest: sha256:c0de\n");
    }

    private Stemcell stemcell(String version) throws IOException {
        Path file = Files.writeString(cache.resolve("s.tar"), "cut");
        return new Stemcell(version, "key", file, "sha1", "sha256", Files.size(file));
    }
}
