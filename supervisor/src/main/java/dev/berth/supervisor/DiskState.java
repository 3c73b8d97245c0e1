package dev.berth.supervisor;

/** What is known of the instance's persistent disk. */
public sealed interface DiskState {
    /** The expected disk is mounted where it should be and can be written. */
    record Proven(String diskCid) implements DiskState {}

    /**
     * Nothing that keeps data may run.
     *
     * @param reason what was expected and what was found, in a sentence
     */
    record Unproven(String reason) implements DiskState {}
}
