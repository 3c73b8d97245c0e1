package dev.berth.supervisor;

/** Labels on everything the supervisor makes: by them it is found again. */
final class Labels {
    static final String INSTANCE = "berth.instance";
    static final String CONTAINER = "berth.container";

    /** Digest of the whole spec that the container was made from. */
    static final String SPEC = "berth.spec";

    /** Digest of that part of the spec that only another container can change. */
    static final String FIXED = "berth.fixed";

    /** Identity of the step that made it. */
    static final String INTENT = "berth.intent";

    private Labels() {}
}
