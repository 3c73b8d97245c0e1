package dev.berth.store;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * A process that acts on a store: what another is told that comes too late.
 *
 * @param since when it began to hold the store
 */
public record StoreHolder(String host, long pid, Instant since) {
    /** This process, from now on. */
    public static StoreHolder self(Instant now) {
        String host;
        try {
            host = InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            host = "unknown-host"; // a host that cannot name itself still has processes
        }
        return new StoreHolder(
                host, ProcessHandle.current().pid(), now.truncatedTo(ChronoUnit.SECONDS));
    }

    @Override
    public String toString() {
        return "process " + pid + " on host " + host + ", since " + since;
    }
}
