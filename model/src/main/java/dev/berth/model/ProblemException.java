package dev.berth.model;

import java.util.List;
import java.util.stream.Collectors;

/**
 * Carries every {@link Problem} found in one input, so that an operator can mend them all at once.
 */
public final class ProblemException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final transient List<Problem> problems;

    public ProblemException(List<Problem> problems) {
        super(problems.stream().map(Problem::text).collect(Collectors.joining("\n")));
        if (problems.isEmpty()) {
            throw new IllegalArgumentException("no problem, no exception");
        }
        this.problems = List.copyOf(problems);
    }

    public ProblemException(int code, String message) {
        this(List.of(new Problem(code, null, message, null)));
    }

    public List<Problem> problems() {
        return problems;
    }

    /** The number of the first problem: what the API answers with. */
    public int code() {
        return problems.getFirst().code();
    }
}
