package dev.berth.supervisor;

/**
 * The port through which the disk is proven (rule R2). Called on every look and again right before
 * a container that uses the disk is created or started; must answer within milliseconds on a sound
 * disk. Thread-safe.
 */
public interface DiskProof {
    DiskState prove();
}
