package dev.berth.supervisor;

import java.util.Map;

/** What containers and networks take from the daemon's settings when they are made. */
public interface DaemonDefaults {
    DaemonDefaults NONE =
            new DaemonDefaults() {
                @Override
                public boolean ownLogs() {
                    return false;
                }

                @Override
                public Map<String, String> networkOptions() {
                    return Map.of();
                }
            };

    /** Whether the daemon knows what becomes of logs that a spec says nothing about. */
    boolean ownLogs();

    /** Options of the bridge networks that the supervisor makes. */
    Map<String, String> networkOptions();
}
