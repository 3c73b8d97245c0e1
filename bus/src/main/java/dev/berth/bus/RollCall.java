package dev.berth.bus;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import io.nats.client.Connection;
import io.nats.client.Message;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Asks the server who is connected: events tell only of changes, and those of a moment in which the
 * director was not listening are lost. One server is asked; in a cluster the agents of the others
 * show by their heartbeats.
 */
final class RollCall {
    private static final System.Logger LOG = System.getLogger(RollCall.class.getName());
    private static final int PAGE = 500;

    /** 65,000 connections: more than the server takes. */
    private static final int MOST_PAGES = 131;

    interface Present {
        void tell(String user, String server, long connection);
    }

    private RollCall() {}

    /** Blocks; gives up with a line in the log, as heartbeats will tell in time. */
    static void run(Connection connection, Present present) {
        try {
            for (int page = 0; page < MOST_PAGES; page++) {
                if (!ask(connection, page * PAGE, present)) {
                    return;
                }
            }
        } catch (IllegalStateException | IllegalArgumentException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "the bus did not tell who is connected: {0}",
                    e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether there may be more. */
    private static boolean ask(Connection connection, int offset, Present present)
            throws InterruptedException {
        String question = Json.write(Json.of("auth", true, "limit", PAGE, "offset", offset));
        Message reply =
                connection.request(
                        "$SYS.REQ.ACCOUNT.BERTH.CONNZ",
                        question.getBytes(StandardCharsets.UTF_8),
                        Duration.ofSeconds(5));
        if (reply == null) {
            throw new IllegalStateException("no answer");
        }
        Fields data = Fields.of(Json.parse(reply.getData()), "connz").object("data");
        String server = data.string("server_id", "");
        var connections = data.objects("connections");
        for (Fields one : connections) {
            present.tell(one.string("authorized_user", ""), server, one.integer("cid", 0));
        }
        return connections.size() == PAGE;
    }
}
