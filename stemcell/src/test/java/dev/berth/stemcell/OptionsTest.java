package dev.berth.stemcell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The words of {@code berth stemcell build}. */
final class OptionsTest {
    private static final Map<String, String> ENVIRONMENT =
            Map.of("BERTH_HOME", "/h", "BERTH_DIST", "/d");

    @Test
    void placesComeFromTheEnvironmentThatTheLauncherSets() {
        Options options = Options.parse(List.of(), ENVIRONMENT);

        assertThat(options.cache()).isEqualTo(Path.of("/h/cache/stemcell"));
        assertThat(options.agentLib()).isEqualTo(Path.of("/d/agent/lib"));
        assertThat(options.base()).isEqualTo(new Base.Debootstrap());
        assertThat(options.out()).isNull();
    }

    @Test
    void bothSpellingsOfAnOptionReadAlike() {
        List<String> apart =
                List.of("--base", "image:debian:12", "--suite", "trixie", "--out", "x.tgz");
        List<String> joined = List.of("--base=image:debian:12", "--suite=trixie", "--out=x.tgz");

        assertThat(Options.parse(joined, ENVIRONMENT)).isEqualTo(Options.parse(apart, ENVIRONMENT));
        assertThat(Options.parse(joined, ENVIRONMENT).base())
                .isEqualTo(new Base.Image("debian:12"));
    }

    @Test
    void aWrongWordIsNamedWithWhatWouldBeRight() {
        refused(List.of("--base", "tarball"), "'tarball'", "image:REFERENCE");
        refused(List.of("--suite", "sarge"), "'sarge'", "bookworm");
        refused(List.of("--out"), "--out", "needs a value");
        refused(List.of("--check", "--force"), "--check", "--force");
        refused(List.of("--frobnicate"), "--frobnicate", "usage:");
    }

    @Test
    void aPackagedJdkDecidesTheSuiteBecauseItsRuntimeNeedsThatLibrary() {
        assertThat(Options.suiteFor("Debian", "trixie")).isEqualTo("trixie");
        assertThat(Options.suiteFor("Eclipse Adoptium", "trixie")).isEqualTo("bookworm");
        assertThat(Options.suiteFor("Debian", "duke")).isEqualTo("bookworm");
        assertThat(Options.suiteFor("Ubuntu", "noble")).isEqualTo("trixie");
    }

    private static void refused(List<String> words, String... parts) {
        assertThatThrownBy(() -> Options.parse(words, ENVIRONMENT)).message().contains(parts);
    }
}
