package dev.berth.backup;

import dev.berth.model.Json;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * All files of a disk, in their order, as one digest: two disks with the same one hold the same,
 * and nobody has to keep the list of either. Not thread-safe.
 */
public final class TreeDigest {
    private final MessageDigest digest = TarTree.sha256();

    public void add(TreeEntry entry) {
        digest.update(Json.write(entry.toTree()).getBytes(StandardCharsets.UTF_8));
        digest.update((byte) '\n');
    }

    /** Of what was added until now, hex; begins anew. */
    public String take() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
