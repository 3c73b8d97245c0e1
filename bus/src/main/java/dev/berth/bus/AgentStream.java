package dev.berth.bus;

import dev.berth.wire.StreamEnd;

/**
 * The director's end of a session with one agent.
 *
 * @param replyTo subject on which the agent is to send; told to it by the call that opens the
 *     session there
 * @param forget called once at the end
 */
public record AgentStream(StreamEnd end, String replyTo, Runnable forget) implements AutoCloseable {
    @Override
    public void close() {
        end.close();
        forget.run();
    }
}
