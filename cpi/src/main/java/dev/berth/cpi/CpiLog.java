package dev.berth.cpi;

/**
 * Where an external CPI's words go. Called on several threads; the context tells which call, and so
 * which task, they belong to.
 */
public interface CpiLog {
    /** One line of its stderr or of its answer's log. */
    void line(CpiContext context, String line);

    /** The request, fit to be kept: what may be secret is masked. */
    default void request(CpiContext context, String redactedJson) {}

    /** Hears nothing. */
    CpiLog NONE = (context, line) -> {};
}
