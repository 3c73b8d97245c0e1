package dev.berth.director;

import dev.berth.cpi.CpiException;
import dev.berth.model.ProblemException;
import dev.berth.store.StoreException;

/** How a failure reads for people and which number clients see. */
final class Failures {
    /** BOSH's number for what has none of its own. */
    static final int UNCLASSIFIED = 100;

    private Failures() {}

    static int code(Throwable failure) {
        return failure instanceof ProblemException problem ? problem.code() : UNCLASSIFIED;
    }

    static String message(Throwable failure) {
        String message = failure.getMessage();
        return switch (failure) {
            case ProblemException problem -> String.valueOf(problem.getMessage());
            case CpiException cpi ->
                    "CPI error '" + cpi.type().wireName() + "' with message '" + message + "'";
            case StoreException store ->
                    "The director's database failed: "
                            + message
                            + "; look at the director's log and at the space on its disk";
            default -> message == null ? failure.getClass().getSimpleName() : message;
        };
    }
}
