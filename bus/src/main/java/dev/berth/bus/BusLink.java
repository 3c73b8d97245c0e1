package dev.berth.bus;

import io.nats.client.Connection;
import io.nats.client.ConnectionListener;
import io.nats.client.ErrorListener;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** Connections to the bus that come back by themselves, for as long as it takes. */
final class BusLink {
    private static final System.Logger LOG = System.getLogger(BusLink.class.getName());
    private static final Duration FIRST_CONNECT = Duration.ofSeconds(30);

    private BusLink() {}

    /** Blocks until connected; {@link IllegalStateException} when that takes too long. */
    static Connection open(List<String> urls, Pki pki, BusUser user, ConnectionListener listener) {
        Options options =
                new Options.Builder()
                        .servers(urls.toArray(new String[0]))
                        .connectionName("berth " + user.name().toLowerCase(java.util.Locale.ROOT))
                        .sslContext(pki.liveClient(user))
                        .connectionTimeout(Duration.ofSeconds(10))
                        .maxReconnects(-1)
                        .reconnectWait(Duration.ofMillis(100))
                        .reconnectJitter(Duration.ofMillis(50))
                        .reconnectJitterTls(Duration.ofMillis(50))
                        .pingInterval(Duration.ofSeconds(5))
                        .maxPingsOut(2)
                        .maxMessagesInOutgoingQueue(100_000)
                        .reconnectBufferSize(64L * 1024 * 1024)
                        .connectionListener(listener)
                        .errorListener(new Errors(user))
                        .build();
        long end = System.nanoTime() + FIRST_CONNECT.toNanos();
        while (true) {
            try {
                return Nats.connect(options);
            } catch (IOException e) {
                if (System.nanoTime() > end || !Pause.millis(100)) {
                    throw new IllegalStateException(
                            "cannot connect to the bus at "
                                    + String.join(", ", urls)
                                    + ": "
                                    + e.getMessage(),
                            e);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while connecting to the bus", e);
            }
        }
    }

    private record Errors(BusUser user) implements ErrorListener {
        @Override
        public void errorOccurred(Connection connection, String error) {
            LOG.log(System.Logger.Level.WARNING, "bus user={0} error={1}", user, error);
        }

        @Override
        public void exceptionOccurred(Connection connection, Exception exception) {
            // A lost connection shows here first; the state change is what gets logged.
            LOG.log(System.Logger.Level.DEBUG, "bus user=" + user, exception);
        }

        @Override
        public void slowConsumerDetected(Connection connection, io.nats.client.Consumer consumer) {
            LOG.log(System.Logger.Level.WARNING, "bus user={0} loses messages", user);
        }
    }
}
