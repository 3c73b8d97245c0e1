package dev.berth.supervisor;

/**
 * The port through which disks are proven (rule R2). Called on every look and again right before a
 * container that uses a disk is created or started; must answer within milliseconds on sound disks.
 * Thread-safe.
 */
public interface DiskProof {
    /** The disk at {@code store}. */
    DiskState prove();

    /** All of them. */
    default DiskStates proveAll() {
        return DiskStates.ofStore(prove());
    }
}
