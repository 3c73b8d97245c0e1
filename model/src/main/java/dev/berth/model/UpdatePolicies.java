package dev.berth.model;

import dev.berth.model.UpdatePolicy.AzStrategy;
import dev.berth.model.UpdatePolicy.OnFailure;
import dev.berth.model.UpdatePolicy.VmStrategy;
import dev.berth.model.UpdatePolicy.WatchTime;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads update blocks: the deployment's, and those of groups that override parts of it. */
final class UpdatePolicies {
    private static final Set<String> KEYS =
            Set.of(
                    "canaries",
                    "max_in_flight",
                    "canary_watch_time",
                    "update_watch_time",
                    "serial",
                    "vm_strategy",
                    "on_failure",
                    "initial_deploy_az_update_strategy");
    private static final Pattern RANGE = Pattern.compile("\\s*(\\d{1,12})\\s*-\\s*(\\d{1,12})\\s*");
    private static final WatchTime NO_WATCH = new WatchTime(Duration.ZERO, Duration.ZERO);

    private UpdatePolicies() {}

    /**
     * @param inherited what absent keys mean; null: four of them are required
     */
    static UpdatePolicy read(Section update, @Nullable UpdatePolicy inherited) {
        update.checkKeys(KEYS, Map.of());
        return new UpdatePolicy(
                share(update, "canaries", inherited == null ? null : inherited.canaries()),
                share(update, "max_in_flight", inherited == null ? null : inherited.maxInFlight()),
                watch(
                        update,
                        "canary_watch_time",
                        inherited == null ? null : inherited.canaryWatchTime()),
                watch(
                        update,
                        "update_watch_time",
                        inherited == null ? null : inherited.updateWatchTime()),
                update.flag("serial", inherited == null || inherited.serial()),
                vmStrategy(
                        update,
                        inherited == null ? VmStrategy.DELETE_CREATE : inherited.vmStrategy()),
                azStrategy(update, inherited == null ? AzStrategy.SERIAL : inherited.azStrategy()),
                onFailure(update, inherited == null ? OnFailure.STOP : inherited.onFailure()));
    }

    private static Share share(Section update, String key, @Nullable Share inherited) {
        if (!update.has(key) && inherited != null) {
            return inherited;
        }
        String text = update.string(key);
        try {
            return text.isEmpty() ? new Share(1, false) : Share.parse(text);
        } catch (IllegalArgumentException e) {
            update.at(key).error(key + " " + e.getMessage(), "such as 2 or 25%");
            return new Share(1, false);
        }
    }

    private static WatchTime watch(Section update, String key, @Nullable WatchTime inherited) {
        if (!update.has(key) && inherited != null) {
            return inherited;
        }
        String text = update.string(key);
        if (text.isEmpty()) {
            return NO_WATCH;
        }
        if (text.matches("\\d{1,12}")) {
            var time = Duration.ofMillis(Long.parseLong(text));
            return new WatchTime(time, time);
        }
        Matcher range = RANGE.matcher(text);
        if (!range.matches()) {
            update.at(key)
                    .error(
                            180001,
                            "Watch time should be an integer or a range of two integers",
                            "milliseconds, such as 1000-60000");
            return NO_WATCH;
        }
        var time =
                new WatchTime(
                        Duration.ofMillis(Long.parseLong(range.group(1))),
                        Duration.ofMillis(Long.parseLong(range.group(2))));
        if (time.min().compareTo(time.max()) > 0) {
            update.at(key)
                    .error(180001, "Min watch time cannot be greater than max watch time", null);
        }
        return time;
    }

    private static VmStrategy vmStrategy(Section update, VmStrategy otherwise) {
        return switch (update.optionalString("vm_strategy")) {
            case null -> otherwise;
            case "delete-create" -> VmStrategy.DELETE_CREATE;
            case "create-swap-delete" -> VmStrategy.CREATE_SWAP_DELETE;
            case String other -> {
                update.at("vm_strategy")
                        .error(
                                40005,
                                "Invalid vm_strategy '%s', valid strategies are: create-swap-delete, delete-create"
                                        .formatted(other),
                                null);
                yield otherwise;
            }
        };
    }

    private static OnFailure onFailure(Section update, OnFailure otherwise) {
        return switch (update.optionalString("on_failure")) {
            case null -> otherwise;
            case "stop" -> OnFailure.STOP;
            case "rollback" -> OnFailure.ROLLBACK;
            case String other -> {
                update.at("on_failure")
                        .error("'" + other + "' is not known here", "'stop' or 'rollback'");
                yield otherwise;
            }
        };
    }

    private static AzStrategy azStrategy(Section update, AzStrategy otherwise) {
        String key = "initial_deploy_az_update_strategy";
        return switch (update.optionalString(key)) {
            case null -> otherwise;
            case "serial" -> AzStrategy.SERIAL;
            case "parallel" -> AzStrategy.PARALLEL;
            case String other -> {
                update.at(key)
                        .error(
                                40005,
                                "Invalid %s '%s', valid strategies are: 'parallel, serial'"
                                        .formatted(key, other),
                                null);
                yield otherwise;
            }
        };
    }
}
