package dev.berth.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Fields;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a director that loses its store finds again: on the VM, and on a disk that is proven. */
class RecordActionsTest {
    @TempDir Path base;
    private Layout layout = Layout.of(Path.of(""));

    @BeforeEach
    void prepare() throws Exception {
        layout = Layout.of(base);
        Files.createDirectories(layout.store());
    }

    private void carry(String identity) throws Exception {
        Files.writeString(layout.store().resolve(DiskMarks.IDENTITY_FILE), identity);
    }

    private @Nullable Object run(String name, List<String> proven, List<Object> arguments)
            throws Exception {
        Action action =
                new RecordActions(layout, () -> proven)
                        .all().stream()
                                .filter(a -> a.name().equals(name))
                                .findFirst()
                                .orElseThrow();
        return action.body().run(new Arguments(arguments), new AgentCall("1", false));
    }

    private @Nullable String kept(List<String> proven) throws Exception {
        return Fields.of(run("get_record", proven, List.of()), "record").optionalString("record");
    }

    @Test
    void whatIsKeptIsGivenBackAndForRootAlone() throws Exception {
        assertThat(kept(List.of())).isNull();
        run("keep_record", List.of(), List.of("sealed"));
        assertThat(kept(List.of())).isEqualTo("sealed");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(layout.record())))
                .isEqualTo("rw-------");
        assertThat(layout.recordOnDisk()).doesNotExist();
    }

    /** A VM that is new and was told nothing yet tells what the one before it had. */
    @Test
    void aProvenDiskCarriesItToTheNextVm() throws Exception {
        carry("disk-1");
        run("keep_record", List.of("disk-1"), List.of("sealed"));
        Files.delete(layout.record());
        assertThat(kept(List.of("disk-1"))).isEqualTo("sealed");
        assertThat(kept(List.of())).as("not of a disk that is not proven").isNull();
    }

    @Test
    void nothingIsWrittenToADiskThatIsNotProven() throws Exception {
        carry("another");
        run("keep_record", List.of("disk-1"), List.of("sealed"));
        assertThat(layout.recordOnDisk()).doesNotExist();
    }

    @Test
    void whatIsNoRecordIsRefused() {
        assertThatThrownBy(() -> run("keep_record", List.of(), List.of("")))
                .hasMessageContaining("characters");
        assertThatThrownBy(() -> run("keep_record", List.of(), List.of("x".repeat((1 << 20) + 1))))
                .hasMessageContaining("characters");
    }
}
