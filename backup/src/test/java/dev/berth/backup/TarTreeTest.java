package dev.berth.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files with holes are read as they are, however the archive's bytes come in. */
class TarTreeTest {
    private static final int MIB = 1 << 20;

    @TempDir Path folder;

    /** Reads at most a few bytes less or more than asked for, as a stream over the bus does. */
    private static final class Pieces extends FilterInputStream {
        private final Random random = new Random(7);

        Pieces(byte[] bytes) {
            super(new ByteArrayInputStream(bytes));
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            return super.read(into, offset, Math.min(length, 1 + random.nextInt(5000)));
        }
    }

    private byte[] archive() throws Exception {
        Path data = Files.createDirectories(folder.resolve("data"));
        Path file = data.resolve("sparse");
        var random = new Random(3);
        try (var channel =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (int i = 0; i < 5; i++) {
                byte[] part = new byte[40_000];
                random.nextBytes(part);
                channel.write(ByteBuffer.wrap(part), (long) i * MIB);
            }
        }
        Files.writeString(data.resolve("zz-after"), "what follows it");
        Process tar =
                new ProcessBuilder(
                                "tar",
                                "-C",
                                data.toString(),
                                "--sort=name",
                                "--format=posix",
                                "--sparse",
                                "-cf",
                                "-",
                                ".")
                        .start();
        byte[] bytes = tar.getInputStream().readAllBytes();
        assertThat(tar.waitFor()).isZero();
        assertThat(bytes.length).as("the holes are not in the archive").isLessThan(MIB);
        return bytes;
    }

    private static List<TreeEntry> read(InputStream in) throws IOException {
        var entries = new ArrayList<TreeEntry>();
        TarTree.read(in, entries::add);
        return entries;
    }

    @Test
    void aSparseFileIsReadInWhateverPiecesItComes() throws Exception {
        byte[] archive = archive();
        List<TreeEntry> whole = read(new ByteArrayInputStream(archive));
        assertThat(whole).hasSize(3);
        assertThat(whole.get(1).sha256())
                .isEqualTo(
                        HexFormat.of()
                                .formatHex(
                                        MessageDigest.getInstance("SHA-256")
                                                .digest(
                                                        Files.readAllBytes(
                                                                folder.resolve("data/sparse")))));
        assertThat(read(new Pieces(archive))).isEqualTo(whole);
    }
}
