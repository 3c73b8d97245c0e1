package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.ContainerStorage.Volume;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What manifests and cloud configs say of disks, and of groups that take over others. */
class GroupDisksTest {
    private static final String TYPES =
            """
            - {name: rows, disk_size: 2048, file_system: xfs, mount_options: [noatime, nodiratime]}
            - {name: logs, disk_size: 512}
            """;

    private static CloudConfig cloud(String types) {
        return CloudConfigs.parse(
                YamlDocument.parseConfig(
                        Examples.CLOUD.replace("disk_types:\n", "disk_types:\n" + types), "cloud"));
    }

    private static InstanceGroup more(String keys) {
        return Manifests.resolve(
                        YamlDocument.parse(shop(keys)),
                        Interpolation.NONE,
                        cloud(TYPES),
                        Examples.STEMCELLS)
                .group("more")
                .orElseThrow();
    }

    private static String shop(String keys) {
        return Examples.SHOP
                + """
                - name: more
                  instances: 1
                  vm_type: default
                  azs: [z1]
                  stemcell: default
                  networks: [{name: default}]
                """
                + keys.indent(2);
    }

    private static void refused(String keys, String words) {
        assertThatThrownBy(() -> more(keys))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining(words);
    }

    @Test
    void disksWithNamesHaveTheKindsOfTheirTypes() {
        InstanceGroup group =
                more(
                        "persistent_disks: [{name: data, type: rows}, {name: wal, type: logs, raw:"
                                + " true}]\n"
                                + "containers: [{name: cc, image: x, volumes:"
                                + " ['/var/vcap/disks/data/a:/a']}]\n");
        assertThat(cloud(TYPES).disks(group))
                .containsExactly(
                        new CloudConfig.DiskWish(
                                "data",
                                "rows",
                                2048,
                                Map.of(),
                                new DiskFormat("xfs", List.of("noatime", "nodiratime")),
                                false),
                        new CloudConfig.DiskWish(
                                "wal", "logs", 512, Map.of(), DiskFormat.DEFAULT, true));
    }

    @Test
    void withoutContainersDisksWithNamesAreRawAsInBosh() {
        InstanceGroup group = more("persistent_disks: [{name: data, type: rows}]\njobs: []\n");
        assertThat(group.disks().named()).allMatch(GroupDisks.Named::raw);
    }

    @Test
    void aVolumeSaysOnWhichDiskItLies() {
        ContainerSpec spec =
                more("persistent_disks: [{name: data, type: rows}]\n"
                                + "containers:\n- name: cc\n  image: x\n  volumes:\n"
                                + "  - {type: volume, source: wal, target: /wal,"
                                + " x-berth.disk: data}\n"
                                + "  - /var/vcap/disks/data/a/b:/b:ro\n")
                        .containers()
                        .getFirst();
        assertThat(spec.persistentDisks()).isEqualTo(Set.of("data"));
        assertThat(spec.storage().volumes().stream().map(Volume::source))
                .containsExactly("/var/vcap/disks/data/volumes/wal", "/var/vcap/disks/data/a/b");
        assertThat(spec.storage().volumes()).allMatch(v -> v.options().create());
    }

    @Test
    void whatCannotBeIsRefusedWithARemedy() {
        refused(
                "persistent_disk: 1\npersistent_disks: [{name: a, type: rows}]\njobs: []\n",
                "specifies more than one of the following keys");
        refused(
                "persistent_disks: [{name: a, type: rows}, {name: a, type: logs}]\njobs: []\n",
                "persistent_disks's section contains duplicate names");
        refused("persistent_disks: [{type: rows}]\njobs: []\n", "contains a disk with no name");
        refused(
                "persistent_disks: [{name: a, type: none}]\njobs: []\n",
                "persistent_disks's section references an unknown disk type 'none'");
        refused("persistent_disks: [{name: ../a, type: rows}]\njobs: []\n", "cannot name a disk");
        refused(
                "persistent_disks: [{name: a, type: rows}]\n"
                        + "containers: [{name: cc, image: x, volumes: ['d:/d']}]\n",
                "say on which of its disks");
        refused(
                "persistent_disks: [{name: a, type: rows, raw: true}]\n"
                        + "containers: [{name: cc, image: x, volumes:"
                        + " ['/var/vcap/disks/a/d:/d']}]\n",
                "which is raw and never mounted");
        refused(
                "persistent_disks: [{name: a, type: rows}]\n"
                        + "containers: [{name: cc, image: x, volumes: ['/var/vcap/disks/a:/d']}]\n",
                "is not a folder of its own");
    }

    @Test
    void kindsOfDisksAreChecked() {
        assertThatThrownBy(() -> cloud("- {name: a, disk_size: 1, file_system: ntfs}\n"))
                .hasMessageContaining("'ntfs' is not known")
                .hasMessageContaining("ext4, xfs or btrfs");
        assertThatThrownBy(() -> cloud("- {name: a, disk_size: 1, mount_options: [ro]}\n"))
                .hasMessageContaining("proven by writing");
        assertThatThrownBy(() -> cloud("- {name: a, disk_size: 1, mount_options: ['a,b']}\n"))
                .hasMessageContaining("is no mount option");
    }

    @Test
    void groupsAreTakenOverOnceAndOnlyWhenTheyAreGone() {
        assertThat(more("migrated_from: [{name: old, az: z1}]\njobs: []\n").migratedFrom())
                .containsExactly(new MigratedFrom("old", "z1"));
        refused(
                "migrated_from: [{name: db}]\njobs: []\n",
                "A deployment can not migrate an instance group and also specify it. Please remove"
                        + " instance group 'db'.");
        refused(
                "migrated_from: [{name: old, az: z9}]\njobs: []\n",
                "refers to availability zone 'z9'. Az 'z9' is not in the list");
    }
}
