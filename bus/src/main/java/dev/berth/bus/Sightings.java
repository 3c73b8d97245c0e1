package dev.berth.bus;

import dev.berth.model.AgentId;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** When each agent was last heard, or seen to go. Thread-safe. */
final class Sightings {
    /** Agents come and go for ever; forgetting them all costs each one ping. */
    private static final int MOST = 100_000;

    private record Sighting(long at, boolean here) {}

    private final Map<AgentId, Sighting> lastSeen = new ConcurrentHashMap<>();
    private volatile long backSince = System.nanoTime();

    void heard(AgentId agent) {
        put(agent, true);
    }

    /** The server saw its connection end. */
    void gone(AgentId agent) {
        put(agent, false);
    }

    private void put(AgentId agent, boolean here) {
        if (lastSeen.size() > MOST) {
            lastSeen.clear();
        }
        lastSeen.put(agent, new Sighting(System.nanoTime(), here));
    }

    /** Agents reconnect after the director does: what was heard before says nothing any more. */
    void busBack() {
        backSince = System.nanoTime();
    }

    /** Whether it has been heard since the bus came back. */
    boolean isPresent(AgentId agent) {
        Sighting last = lastSeen.get(agent);
        return last != null && last.here() && last.at() - backSince >= 0;
    }

    /** For the error that an operator reads. */
    String describe(AgentId agent) {
        Sighting last = lastSeen.get(agent);
        return last == null
                ? "it has not been heard since the director started"
                : (last.here() ? "it was last heard " : "its connection ended ")
                        + text(System.nanoTime() - last.at())
                        + " ago";
    }

    static String text(long nanos) {
        long millis = nanos / 1_000_000;
        return millis < 10_000 ? millis + " ms" : millis / 1_000 + " s";
    }
}
