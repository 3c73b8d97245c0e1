package dev.berth.wire;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An alert in BOSH's shape. Severity: 1 alert, 2 critical, 3 error, 4 warning; lower is worse.
 *
 * @param createdAt Unix seconds
 */
public record Alert(
        String id,
        int severity,
        String title,
        String summary,
        long createdAt,
        @Nullable String source,
        @Nullable String deployment,
        @Nullable String category) {
    /** Category of what the VM tells when its first program has killed an agent that hung. */
    public static final String AGENT_KILLED = "agent-killed";

    public Map<String, Object> toTree() {
        return Json.of(
                "kind",
                "alert",
                "id",
                id,
                "severity",
                severity,
                "category",
                category,
                "title",
                title,
                "summary",
                summary,
                "source",
                source,
                "deployment",
                deployment,
                "created_at",
                createdAt);
    }

    public static Alert fromTree(Object tree) {
        Fields f = Fields.of(tree, "alert");
        String title = f.string("title");
        return new Alert(
                f.string("id"),
                (int) f.integer("severity"),
                title,
                f.string("summary", title),
                f.integer("created_at"),
                f.optionalString("source"),
                f.optionalString("deployment"),
                f.optionalString("category"));
    }
}
