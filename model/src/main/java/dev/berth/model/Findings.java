package dev.berth.model;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects everything wrong or odd with one document, so that it is reported at once. */
final class Findings {
    /** More would be noise: the document is something else altogether. */
    private static final int MOST = 200;

    private final List<Problem> errors = new ArrayList<>();
    private final List<Problem> warnings = new ArrayList<>();
    private boolean unresolved;

    void error(int code, @Nullable String place, String message, @Nullable String remedy) {
        add(errors, new Problem(code, place, message, remedy));
    }

    void warning(String place, String message, @Nullable String remedy) {
        add(warnings, new Problem(100, place, message, remedy));
    }

    private static void add(List<Problem> to, Problem problem) {
        if (to.size() < MOST && !to.contains(problem)) {
            to.add(problem);
        }
    }

    /** Notes that placeholders are left over, whose types need no further complaint. */
    void unresolved() {
        unresolved = true;
    }

    boolean hasUnresolved() {
        return unresolved;
    }

    List<Problem> errors() {
        return List.copyOf(errors);
    }

    List<Problem> warnings() {
        return List.copyOf(warnings);
    }

    void throwIfAny() {
        if (!errors.isEmpty()) {
            throw new ProblemException(errors);
        }
    }
}
