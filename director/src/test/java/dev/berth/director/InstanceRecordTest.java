package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.director.InstanceRecord.Part;
import dev.berth.director.InstanceRecord.Shared;
import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A record comes back as it went, opens with its own key only, and shows nothing to others. */
class InstanceRecordTest {
    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00.123Z");
    private static final InstanceId ID = new InstanceId("6e0c7b52-0000-4000-8000-000000000001");

    private static Rows.Vm vm(Map<String, Object> shape) {
        return new Rows.Vm(new AgentId("a"), new VmCid("vm-a"), ID, "", shape, true, true, NOW);
    }

    private static Part part(Map<String, Object> shape) {
        return new Part(
                new Rows.Instance(
                        ID,
                        "shop",
                        "db",
                        3,
                        null,
                        "started",
                        true,
                        false,
                        true,
                        Json.of("containers", List.of(Json.of("name", "pg"))),
                        NOW),
                List.of(vm(shape)),
                List.of(
                        new Rows.Disk(
                                new DiskCid("d"),
                                ID,
                                new VmCid("vm-a"),
                                1L << 33,
                                Json.of("type", "fast"),
                                "5GB",
                                true,
                                null,
                                "shop",
                                "db/" + ID,
                                "z1",
                                "")),
                List.of(new Rows.Ip("10.0.0.5", "default", ID, true)));
    }

    private static InstanceRecord record(String manifest) {
        var shared =
                new Shared(
                        new Rows.Deployment(
                                "shop",
                                manifest,
                                List.of(7L),
                                List.of("s/1"),
                                List.of(),
                                Json.of("owner", "me"),
                                NOW),
                        List.of(new Rows.Config(7, "cloud", "default", "azs: []", NOW, false)),
                        1,
                        List.of(
                                new Rows.Stemcell(
                                        1, "s", "debian", "1", new StemcellCid("sc"), "", 3)),
                        List.of(new Rows.Variable(4, "/d/shop/p", "password", "v1:xyz", NOW)),
                        List.of(part(Json.of())));
        return new InstanceRecord(NOW, "uuid", shared, part(Json.of("welcomed", true, "n", 5L)));
    }

    @Test
    void itComesBackAsItWent(@TempDir Path folder) throws Exception {
        SecretBox box = SecretBox.open(folder.resolve("key"));
        InstanceRecord record = record("name: shop");
        assertThat(InstanceRecord.unseal(box, record.sealed(box))).isEqualTo(record);
    }

    @Test
    void itOpensWithItsOwnKeyOnlyAndShowsNothing(@TempDir Path folder) throws Exception {
        String secret = "password: planted-4711";
        String sealed = record(secret).sealed(SecretBox.open(folder.resolve("key")));
        assertThat(sealed).doesNotContain("planted");
        assertThat(record(secret).toString()).doesNotContain("planted");
        SecretBox other = SecretBox.open(folder.resolve("other"));
        assertThatThrownBy(() -> InstanceRecord.unseal(other, sealed))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageNotContaining("planted");
    }

    /** To keep it makes it no other one; a change of what it says does. */
    @Test
    void itsDigestIsThatOfWhatItSays() {
        String one = InstanceRecord.digest(record("a").shared().digest(), part(Json.of()));
        assertThat(
                        InstanceRecord.digest(
                                record("a").shared().digest(),
                                part(Json.of(RecordKeeper.DIGEST, "x"))))
                .isEqualTo(one);
        assertThat(InstanceRecord.digest(record("b").shared().digest(), part(Json.of())))
                .isNotEqualTo(one);
        assertThat(InstanceRecord.digest(record("a").shared().digest(), part(Json.of("n", 1L))))
                .isNotEqualTo(one);
    }

    /** An older version knew fewer parts. */
    @Test
    void aPartThatIsMissingIsNothing() {
        Map<String, Object> tree =
                Json.of(
                        "cid",
                        "d",
                        "sizeMb",
                        5,
                        "instance",
                        ID.value(),
                        "cloudProperties",
                        Json.of());
        Rows.Disk disk = RowTrees.fromTree(Rows.Disk.class, tree);
        assertThat(disk.sizeMb()).isEqualTo(5);
        assertThat(disk.attachedTo()).isNull();
        assertThat(disk.orphanedAt()).isNull();
        assertThat(disk.deployment()).isEmpty();
        assertThat(disk.active()).isFalse();
        assertThatThrownBy(() -> RowTrees.fromTree(Rows.Disk.class, Json.of("cid", 4711)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Disk.cid");
        assertThatThrownBy(() -> RowTrees.fromTree(Rows.Disk.class, Json.of()))
                .hasMessageContaining("Disk.cid: is missing");
    }
}
