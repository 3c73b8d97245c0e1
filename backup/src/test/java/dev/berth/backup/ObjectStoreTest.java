package dev.berth.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Backups in an object store: in parts, whole or not at all, by who has the key. */
class ObjectStoreTest {
    private final SignedStore server = new SignedStore("planted-access", "planted-secret-key");

    @BeforeEach
    void credentials() {
        System.setProperty("aws.accessKeyId", "planted-access");
        System.setProperty("aws.secretAccessKey", "planted-secret-key");
    }

    @AfterEach
    void close() {
        System.clearProperty("aws.accessKeyId");
        System.clearProperty("aws.secretAccessKey");
        server.close();
    }

    private ObjectStore store() throws BackupException {
        return ObjectStore.at(
                "s3://vault/berth/prod?endpoint=http://127.0.0.1:" + server.port() + "&region=x");
    }

    @Test
    void aBackupIsThereWhenItIsCommittedAndNotBefore() throws IOException {
        byte[] content = new byte[20_000_000];
        new Random(1).nextBytes(content);
        try (BackupPlace.Sink sink = store().create("one")) {
            sink.out().write(content);
            assertThatThrownBy(() -> store().open("one")).isInstanceOf(BackupException.class);
            sink.commit();
            assertThat(sink.bytes()).isEqualTo(content.length);
        }
        assertThat(java.util.Arrays.equals(store().open("one").readAllBytes(), content)).isTrue();
        assertThat(server.objects()).containsExactly("/vault/berth/prod/one.berthbackup");
        assertThat(store().location("one")).isEqualTo("s3://vault/berth/prod/one.berthbackup");
        store().delete("one");
        assertThat(server.objects()).isEmpty();
    }

    @Test
    void whatIsGivenUpOrLeftOverGoes() throws IOException {
        try (BackupPlace.Sink sink = store().create("given-up")) {
            sink.out().write(1);
        }
        assertThat(server.uploads()).isEmpty();
        BackupPlace.Sink killed = store().create("killed");
        killed.out().write(1);
        store().sweep(id -> id.equals("killed"));
        assertThat(server.uploads()).hasSize(1);
        store().sweep(id -> false);
        assertThat(server.uploads()).isEmpty();
        assertThat(server.objects()).isEmpty();
    }

    @Test
    void aWrongKeyIsRefusedAndNotRepeated() {
        System.setProperty("aws.secretAccessKey", "another-secret-key");
        assertThatThrownBy(() -> store().create("one"))
                .isInstanceOf(BackupException.class)
                .hasMessageContaining("bucket vault")
                .hasMessageNotContaining("another-secret-key");
        assertThatThrownBy(() -> ObjectStore.at("s3://vault?endpiont=x"))
                .hasMessageContaining("'endpiont' is no option");
        assertThatThrownBy(() -> ObjectStore.at("s3://key:secret@vault"))
                .hasMessageContaining("s3://BUCKET");
    }
}
