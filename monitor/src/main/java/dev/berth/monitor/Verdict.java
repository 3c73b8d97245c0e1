package dev.berth.monitor;

import java.time.Instant;

/** What the judge thinks of an instance, or of an agent that belongs to none. */
public sealed interface Verdict {
    record Well() implements Verdict {}

    /** Its agent speaks, but what it says differs from the wish. */
    record Degraded(String reason) implements Verdict {}

    /** Not heard of; the VM may still be there. */
    record Silent(Instant since) implements Verdict {}

    /** It lives, and the bus refuses it, or it refuses the bus, because of a certificate. */
    record LockedOut(String reason) implements Verdict {}

    /** The cloud says the VM is gone or switched off, or there is none recorded. */
    record Gone(String reason) implements Verdict {}

    /** Nobody is to touch it: a person's stop, detach or ignore. */
    record Held(String reason) implements Verdict {}

    /** An agent heard on the bus that no deployment knows, lately. */
    record Unmanaged() implements Verdict {}

    /** The same for long. */
    record Rogue() implements Verdict {}

    /** Short text for listings. */
    default String text() {
        return switch (this) {
            case Well v -> "well";
            case Degraded v -> "degraded: " + v.reason;
            case Silent v -> "silent since " + v.since;
            case LockedOut v -> "locked out of the bus: " + v.reason;
            case Gone v -> "gone: " + v.reason;
            case Held v -> "held: " + v.reason;
            case Unmanaged v -> "unmanaged";
            case Rogue v -> "rogue";
        };
    }
}
