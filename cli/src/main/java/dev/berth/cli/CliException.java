package dev.berth.cli;

/** Trouble to be told in plain words: message and remedy, no stack trace, exit code 1. */
class CliException extends RuntimeException {
    private static final long serialVersionUID = 1;

    CliException(String message) {
        super(message);
    }

    CliException(String message, Throwable cause) {
        super(message, cause);
    }
}
