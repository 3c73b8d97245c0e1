package dev.berth.monitor;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which alerts are open, so that each trouble is told once and its end too. */
final class Alarms {
    private final Map<String, String> open = new HashMap<>();

    void raise(
            List<Action> out,
            String id,
            int severity,
            String title,
            String summary,
            @Nullable String deployment) {
        if (!title.equals(open.put(id, title))) {
            out.add(new Action.RaiseAlert(id, severity, title, summary, deployment));
        }
    }

    void resolve(List<Action> out, String id) {
        String title = open.remove(id);
        if (title != null) {
            out.add(new Action.ResolveAlert(id, title));
        }
    }

    boolean isOpen(String id) {
        return open.containsKey(id);
    }
}
