package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a request to deploy asks for beside its manifest, checked, in the form in which the payload
 * of an {@code update_deployment} task keeps it.
 */
final class DeployRequest {
    private DeployRequest() {}

    /** The flags of the query: absent ones are left out. */
    static Map<String, Object> options(Call call) {
        Map<String, Object> options = Json.of();
        for (String flag :
                List.of(
                        "recreate",
                        "recreate_persistent_disks",
                        "fix",
                        "dry_run",
                        "allow_shrink",
                        "refresh_images",
                        "force_latest_variables",
                        "force")) {
            if (call.flag(flag)) {
                options.put(flag, true);
            }
        }
        for (String name : List.of("canaries", "max_in_flight")) {
            String value = call.query(name);
            if (value != null && !value.isEmpty()) {
                if (!value.matches("\\d{1,6}%?")) {
                    throw new ProblemException(100, name + " value should be integer or percent");
                }
                options.put(name, value);
            }
        }
        String skip = call.query("skip_drain");
        if (skip != null && !skip.isEmpty()) {
            options.put("skip_drain", skip);
        }
        return options;
    }

    /** Adds the limit of recreation by age; it needs recreation to be asked for. */
    static void createdBefore(Call call, boolean recreate, String need, Map<String, Object> into) {
        String time = call.query("recreate_vms_created_before");
        if (time == null || time.isEmpty()) {
            return;
        }
        if (!recreate) {
            throw new ProblemException(
                    40005, "Must pass " + need + " when specifying recreate_vms_created_before");
        }
        try {
            into.put(
                    "recreate_vms_created_before",
                    OffsetDateTime.parse(time).toInstant().toString());
        } catch (DateTimeException e) {
            throw new ProblemException(
                    40005, "Invalid RFC 3339 timestamp for recreate_vms_created_before: " + time);
        }
    }

    /**
     * The versions of the configs to deploy with: those the request names, else the current ones.
     * Fixed here, so that a task that is resumed sees what it saw before.
     */
    static Map<String, Object> context(Store store, @Nullable String text) {
        if (text == null || text.isEmpty()) {
            return currentContext(store);
        }
        Fields given;
        try {
            given = Fields.of(Json.parse(text), "context");
        } catch (IllegalArgumentException e) {
            throw new ProblemException(710001, "Invalid context: " + e.getMessage());
        }
        return Json.of(
                "cloud_config_ids",
                ids(store, given, "cloud"),
                "runtime_config_ids",
                ids(store, given, "runtime"));
    }

    static Map<String, Object> currentContext(Store store) {
        return Json.of(
                "cloud_config_ids",
                currentIds(store, "cloud"),
                "runtime_config_ids",
                currentIds(store, "runtime"));
    }

    static List<Long> currentIds(Store store, String type) {
        return store.read(s -> s.configs(type, null, true, 1)).stream()
                .map(Rows.Config::id)
                .sorted()
                .toList();
    }

    private static List<Object> ids(Store store, Fields context, String type) {
        List<Object> ids = context.list(type + "_config_ids");
        for (Object id : ids) {
            boolean known =
                    id instanceof Long number
                            && store.read(s -> s.config(number))
                                    .filter(config -> config.type().equals(type))
                                    .isPresent();
            if (!known) {
                throw new ProblemException(190025, "Context includes invalid config ID");
            }
        }
        return ids;
    }
}
