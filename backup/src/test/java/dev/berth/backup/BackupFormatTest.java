package dev.berth.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes into a backup comes out of it, and nothing else ever does. */
class BackupFormatTest {
    private static final String SECRET = "planted-secret-of-the-backup";

    @TempDir Path folder;
    private BackupKey key = new KeyHolder().key;
    private Path tree = Path.of("");

    private static final class KeyHolder {
        final BackupKey key;

        KeyHolder() {
            try {
                key = BackupKey.of("ab".repeat(32), "test");
            } catch (BackupException e) {
                throw new AssertionError(e);
            }
        }
    }

    @BeforeEach
    void someFiles() throws IOException {
        tree = Files.createDirectories(folder.resolve("tree/dir with blanks/ünï"));
        tree = folder.resolve("tree");
        Files.writeString(tree.resolve("secret"), SECRET);
        byte[] random = new byte[3_000_000];
        new Random(7).nextBytes(random);
        Files.write(tree.resolve("large"), random);
        Files.createFile(tree.resolve("empty"));
        Files.createSymbolicLink(tree.resolve("symbolic"), Path.of("large"));
        Files.createLink(tree.resolve("z hard"), tree.resolve("large"));
        Files.writeString(tree.resolve("n".repeat(200)), "a long name");
        try (var sparse = new RandomAccessFile(tree.resolve("sparse").toFile(), "rw")) {
            sparse.seek(5 << 20);
            sparse.write("after a hole".getBytes(StandardCharsets.UTF_8));
            sparse.setLength(9 << 20);
        }
    }

    private byte[] made = new byte[0];

    /** The same each time: a sparse file's name in it holds the number of the process. */
    private InputStream tar() throws IOException {
        if (made.length > 0) {
            return new ByteArrayInputStream(made);
        }
        Process tar =
                new ProcessBuilder(
                                "tar",
                                "-C",
                                tree.toString(),
                                "--sort=name",
                                "--format=posix",
                                "--sparse",
                                "--pax-option=delete=atime,delete=ctime",
                                "--numeric-owner",
                                "-cf",
                                "-",
                                ".")
                        .start();
        made = tar.getInputStream().readAllBytes();
        return new ByteArrayInputStream(made);
    }

    private byte[] backup() throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var writer =
                new BackupWriter(bytes, key, Json.of("id", "one", "text", "x".repeat(600_000)))) {
            writer.disk(Json.of("disk", 1), tar());
            writer.disk(Json.of("disk", 2), tar());
            writer.finish();
        }
        return bytes.toByteArray();
    }

    /** Keeps all it is told. */
    private static final class Keeper implements BackupReader.Visitor {
        final List<Fields> disks = new ArrayList<>();
        final List<ByteArrayOutputStream> archives = new ArrayList<>();
        final List<List<TreeEntry>> entries = new ArrayList<>();

        @Override
        public void begin(Fields about) {
            disks.add(about);
            archives.add(new ByteArrayOutputStream());
            entries.add(new ArrayList<>());
        }

        @Override
        public void data(byte[] tar) throws IOException {
            archives.getLast().write(tar);
        }

        @Override
        public void entry(TreeEntry entry) {
            entries.getLast().add(entry);
        }
    }

    private Keeper read(byte[] backup) throws IOException {
        var keeper = new Keeper();
        try (var reader = new BackupReader(new ByteArrayInputStream(backup), key)) {
            assertThat(reader.head().string("text")).hasSize(600_000);
            reader.read(keeper);
        }
        return keeper;
    }

    @Test
    void whatGoesInComesOut() throws IOException {
        byte[] backup = backup();
        Keeper read = read(backup);
        assertThat(read.disks).extracting(d -> d.integer("disk")).containsExactly(1L, 2L);
        assertThat(Arrays.equals(read.archives.getFirst().toByteArray(), tar().readAllBytes()))
                .isTrue();
        List<TreeEntry> entries = read.entries.getFirst();
        assertThat(entries).isEqualTo(read.entries.getLast()).hasSize(10);
        var again = new ArrayList<TreeEntry>();
        TarTree.read(new ByteArrayInputStream(read.archives.getLast().toByteArray()), again::add);
        assertThat(again).isEqualTo(entries);
        assertThat(entries)
                .filteredOn(e -> e.path().equals("./sparse"))
                .singleElement()
                .satisfies(e -> {
                    assertThat(e.size()).isEqualTo(9 << 20);
                    assertThat(e.sha256())
                            .isEqualTo(
                                    dev.berth.model.Digests.sha256(
                                            Files.readAllBytes(tree.resolve("sparse"))));
                });
        assertThat(entries).filteredOn(e -> e.kind().equals("hard")).hasSize(1);
        assertThat(new String(backup, StandardCharsets.ISO_8859_1)).doesNotContain(SECRET);
    }

    @Test
    void twoOfTheSameShareNothing() throws IOException {
        byte[] one = backup();
        byte[] other = backup();
        assertThat(Arrays.copyOfRange(one, 8, 400)).isNotEqualTo(Arrays.copyOfRange(other, 8, 400));
    }

    @Test
    void damageAnywhereIsFound() throws IOException {
        byte[] whole = backup();
        int chunk = Sealing.CHUNK + Sealing.TAG;
        for (int at :
                List.of(
                        0,
                        7,
                        20,
                        Sealing.HEAD,
                        Sealing.HEAD + chunk - 1,
                        Sealing.HEAD + chunk,
                        whole.length / 2,
                        whole.length - 1)) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 1;
            assertThatThrownBy(() -> read(damaged))
                    .as("byte %s", at)
                    .isInstanceOf(BackupException.class);
        }
    }

    @Test
    void whatIsCutOffOrSwappedIsFound() throws IOException {
        byte[] whole = backup();
        int chunk = Sealing.CHUNK + Sealing.TAG;
        assertThat(whole.length).isGreaterThan(Sealing.HEAD + 2 * chunk);
        for (int length :
                List.of(
                        0,
                        10,
                        Sealing.HEAD,
                        Sealing.HEAD + chunk,
                        Sealing.HEAD + 2 * chunk,
                        whole.length - 1)) {
            assertThatThrownBy(() -> read(Arrays.copyOf(whole, length)))
                    .as("cut at %s", length)
                    .isInstanceOf(BackupException.class);
        }
        byte[] swapped = whole.clone();
        System.arraycopy(whole, Sealing.HEAD, swapped, Sealing.HEAD + chunk, chunk);
        System.arraycopy(whole, Sealing.HEAD + chunk, swapped, Sealing.HEAD, chunk);
        assertThatThrownBy(() -> read(swapped)).isInstanceOf(BackupException.class);
        assertThatThrownBy(() -> read(Arrays.copyOf(whole, whole.length + 1)))
                .isInstanceOf(BackupException.class);
    }

    @Test
    void anotherKeyOpensNothingAndIsTold() throws IOException {
        byte[] whole = backup();
        key = BackupKey.of("cd".repeat(32), "test");
        assertThatThrownBy(() -> read(whole))
                .isInstanceOf(BackupException.class)
                .hasMessageContaining("another key");
        assertThatThrownBy(() -> BackupKey.of("no key " + SECRET, "file"))
                .hasMessageContaining("file is no backup key")
                .hasMessageNotContaining(SECRET);
        assertThat(key.toString()).doesNotContain("cd");
    }

    @Test
    void aKeyIsMadeOnceAndForItsOwnerOnly() throws IOException {
        Path file = folder.resolve("key");
        BackupKey.open(file);
        String text = Files.readString(file);
        BackupKey.open(file);
        assertThat(Files.readString(file)).isEqualTo(text);
        assertThat(Files.getPosixFilePermissions(file)).hasSize(2);
    }

    @Test
    void aFolderShowsWholeOnesOnlyAndSweepsTheRest() throws IOException {
        var place = new BackupFolder(folder.resolve("kept"));
        try (BackupPlace.Sink sink = place.create("one")) {
            sink.out().write(1);
        }
        assertThatThrownBy(() -> place.open("one")).isInstanceOf(BackupException.class);
        BackupPlace.Sink killed = place.create("two");
        killed.out().write(1);
        place.sweep(id -> id.equals("two"));
        killed.commit();
        killed.close();
        assertThat(place.open("two").readAllBytes()).containsExactly(1);
        BackupPlace.Sink left = place.create("three");
        place.sweep(id -> false);
        try (var files = Files.list(folder.resolve("kept"))) {
            assertThat(files.map(f -> f.getFileName().toString()))
                    .containsExactly("two.berthbackup");
        }
        left.close();
        assertThatThrownBy(() -> place.create("../out")).isInstanceOf(BackupException.class);
    }
}
