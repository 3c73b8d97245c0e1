package dev.berth.agent;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * The one call whose answer must survive a restart of the agent: {@code update_settings}. Kept in
 * BOSH's form, a map of task id to {@code {TaskID, Method, Payload}}.
 */
final class PendingCall {
    private final Layout layout;

    PendingCall(Layout layout) {
        this.layout = layout;
    }

    /** One call to take up again. */
    record Kept(String id, String method, List<Object> arguments) {}

    void keep(String id, String method, List<Object> arguments) {
        String payload =
                Base64.getEncoder()
                        .encodeToString(
                                Json.write(Json.of("method", method, "arguments", arguments))
                                        .getBytes(java.nio.charset.StandardCharsets.UTF_8));
        DurableFile.write(
                layout.pendingCalls(),
                Json.write(
                        Json.of(id, Json.of("TaskID", id, "Method", method, "Payload", payload))));
    }

    /** Takes what an earlier life left; a second restart finds nothing. */
    Optional<Kept> take() {
        Optional<Kept> kept = DurableFile.read(layout.pendingCalls()).flatMap(PendingCall::parse);
        DurableFile.delete(layout.pendingCalls());
        return kept;
    }

    private static Optional<Kept> parse(String text) {
        try {
            for (Object call : Json.object(text).values()) {
                Fields fields = Fields.of(call, "tasks.json");
                Fields request =
                        Fields.of(
                                Json.parse(Base64.getDecoder().decode(fields.string("Payload"))),
                                "payload");
                return Optional.of(
                        new Kept(
                                fields.string("TaskID"),
                                fields.string("Method"),
                                request.list("arguments")));
            }
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // a call nobody can read is a call nobody asks for
        }
    }
}
