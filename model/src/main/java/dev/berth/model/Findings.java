package dev.berth.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Collects everything wrong or odd with one document, so that it is reported at once. */
final class Findings {
    /** More would be noise: the document is something else altogether. */
    private static final int MOST = 200;

    private static final int SHORTEST_SECRET = 3;
    private static final int LONG_SECRET = 20;
    private static final String REDACTED = "<redacted>";

    private final List<Problem> errors = new ArrayList<>();
    private final List<Problem> warnings = new ArrayList<>();
    private final List<String> secrets = new ArrayList<>();
    private boolean unresolved;

    /**
     * Notes a value of a variable, wherever it was put: its texts are cut out of every later
     * problem (rule R8).
     */
    void secret(@Nullable Object value) {
        switch (value) {
            case String text when text.length() >= SHORTEST_SECRET -> {
                secrets.add(text);
                secrets.add(text.replace("\\", "\\\\").replace("\"", "\\\""));
            }
            case Map<?, ?> map -> map.values().forEach(this::secret);
            case List<?> list -> list.forEach(this::secret);
            case null, default -> {}
        }
    }

    private @Nullable String masked(@Nullable String text) {
        String masked = text;
        for (String secret : secrets) {
            if (masked == null) {
                break;
            }
            masked = masked.replace(secret, REDACTED);
            // a long one may have been cut short on its way into the text
            int cut =
                    secret.length() <= LONG_SECRET
                            ? -1
                            : masked.indexOf(secret.substring(0, LONG_SECRET));
            masked = cut < 0 ? masked : masked.substring(0, cut) + REDACTED;
        }
        return masked;
    }

    private String maskedText(String text) {
        String masked = masked(text);
        return masked == null ? "" : masked;
    }

    void error(int code, @Nullable String place, String message, @Nullable String remedy) {
        add(errors, new Problem(code, masked(place), maskedText(message), masked(remedy)));
    }

    void warning(String place, String message, @Nullable String remedy) {
        add(warnings, new Problem(100, masked(place), maskedText(message), masked(remedy)));
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
