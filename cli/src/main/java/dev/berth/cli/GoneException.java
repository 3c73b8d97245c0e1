package dev.berth.cli;

/** The director does not know this deployment. */
final class GoneException extends CliException {
    private static final long serialVersionUID = 1;

    /** The director's number for it. */
    static final long CODE = 70000;

    GoneException(String message) {
        super(message);
    }
}
