package dev.berth.director;

/**
 * What was recorded turned out otherwise while a plan was carried out, and the records have been
 * put right: the plan is void, and another is to be made.
 */
final class RecordsCorrected extends RuntimeException {
    private static final long serialVersionUID = 1;

    RecordsCorrected(String message) {
        super(message);
    }
}
