package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.ProblemException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Blobs: whole or absent, checked, and reachable by signed URL only for what was signed. */
class BlobsTest {
    private static final byte[] CONTENT = "a blob".getBytes(StandardCharsets.UTF_8);

    @TempDir Path home;
    private ApiFixture director;

    @BeforeEach
    void start() throws Exception {
        director = new ApiFixture(home);
    }

    @AfterEach
    void stop() {
        director.close();
    }

    private static String path(String url) {
        return url.substring(url.indexOf("/blobs"));
    }

    @Test
    void anAgentLeavesAndFetchesBySignedUrlWithoutCredentials() throws Exception {
        StockCli agent = director.cli.as(null);
        String id = director.blobs.newId();
        String put = path(director.blobs.putUrl(id));
        assertThat(agent.send("PUT", put, null, CONTENT, java.util.Map.of()).status())
                .isEqualTo(201);
        String get = path(director.blobs.getUrl(id));
        assertThat(agent.get(get).body()).isEqualTo(CONTENT);
        assertThat(director.cli.get("/resources/" + id).body()).isEqualTo(CONTENT);
        assertThat(agent.get("/resources/" + id).status()).isEqualTo(401);
        // A signature holds for its verb, its blob and its time only.
        assertThat(agent.send("PUT", get, null, CONTENT, java.util.Map.of()).status())
                .isEqualTo(403);
        assertThat(agent.get(get.replace(id, director.blobs.newId())).status()).isEqualTo(403);
        assertThat(agent.get(get.replace("e=86400", "e=86401")).status()).isEqualTo(403);
    }

    @Test
    void anUnknownOrDamagedBlobIsToldApart() throws Exception {
        assertThat(director.cli.get("/resources/" + director.blobs.newId()).text())
                .contains("\"code\":100002");
        assertThat(director.cli.get("/resources/..%2F..%2Fkey").status()).isEqualTo(404);
        Blobs.Blob blob = director.blobs.put(new ByteArrayInputStream(CONTENT));
        Files.writeString(blob.file(), "another");
        assertThat(director.cli.get("/resources/" + blob.id()).text()).contains("\"code\":100001");
    }

    @Test
    void aStreamThatBreaksOffLeavesNothing() throws Exception {
        InputStream broken =
                new InputStream() {
                    private int left = 100_000;

                    @Override
                    public int read() throws IOException {
                        if (--left < 0) {
                            throw new IOException("connection reset");
                        }
                        return 'x';
                    }
                };
        assertThatThrownBy(() -> director.blobs.put(broken)).hasMessage("connection reset");
        try (var files = Files.walk(home.resolve("blobs"))) {
            assertThat(files.filter(Files::isRegularFile)).isEmpty();
        }
    }

    @Test
    void whatCannotFitIsRefusedBeforeItIsRead() {
        assertThatThrownBy(() ->
                        Spool.write(
                                InputStream.nullInputStream(),
                                1L << 60,
                                Long.MAX_VALUE,
                                home.resolve("huge"),
                                null,
                                "the stemcell"))
                .isInstanceOf(ProblemException.class)
                .hasMessageStartingWith("Not enough disk space for the stemcell: ")
                .hasMessageContaining("make room");
        assertThat(home.resolve("huge")).doesNotExist();
    }

    @Test
    void sealedValuesOpenUnderTheirOwnNameOnly() throws Exception {
        String sealed = director.box.seal("/a", "secret");
        assertThat(director.box.unseal("/a", sealed)).isEqualTo("secret");
        assertThat(SecretBox.open(home.resolve("key")).unseal("/a", sealed)).isEqualTo("secret");
        assertThatThrownBy(() -> director.box.unseal("/b", sealed))
                .hasMessageContaining("/b")
                .hasMessageNotContaining("secret");
        assertThat(Files.getPosixFilePermissions(home.resolve("key"))).hasSize(2);
    }
}
