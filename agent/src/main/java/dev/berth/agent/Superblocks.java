package dev.berth.agent;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/** Recognises the file systems that we mount by their first mebibyte. Pure. */
final class Superblocks {
    private static final short EXT = (short) 0xef53;
    private static final int XFS = 0x58465342; // XFSB

    /** {@code _BHRfS_M}, little-endian. */
    private static final long BTRFS = 0x4d5f53665248425fL;

    private static final int BTRFS_AT = 0x10000;

    private Superblocks() {}

    static Optional<DiskTools.Content.FileSystem> read(ByteBuffer head) {
        int length = head.limit();
        if (length >= 0x600 && little(head).getShort(0x438) == EXT) {
            return Optional.of(ext4(little(head)));
        }
        ByteBuffer big = head.duplicate().order(ByteOrder.BIG_ENDIAN);
        if (length >= 16 && big.getInt(0) == XFS) {
            return found("xfs", big.getLong(8) * big.getInt(4));
        }
        if (length >= BTRFS_AT + 0x200 && little(head).getLong(BTRFS_AT + 0x40) == BTRFS) {
            // Of this device, not of all devices together: ours are of one each.
            return found("btrfs", little(head).getLong(BTRFS_AT + 0xc9 + 8));
        }
        return Optional.empty();
    }

    private static DiskTools.Content.FileSystem ext4(ByteBuffer head) {
        long blocks = Integer.toUnsignedLong(head.getInt(0x404));
        boolean wide = (head.getInt(0x460) & 0x80) != 0;
        blocks |= wide ? Integer.toUnsignedLong(head.getInt(0x550)) << 32 : 0;
        return new DiskTools.Content.FileSystem("ext4", blocks << (10 + head.getInt(0x418)));
    }

    private static ByteBuffer little(ByteBuffer head) {
        return head.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    private static Optional<DiskTools.Content.FileSystem> found(String type, long bytes) {
        return Optional.of(new DiskTools.Content.FileSystem(type, bytes));
    }
}
