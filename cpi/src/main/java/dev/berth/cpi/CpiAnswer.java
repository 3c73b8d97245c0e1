package dev.berth.cpi;

import dev.berth.model.Json;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An answer that keeps the contract: three keys, and an error of three. */
record CpiAnswer(
        String method,
        String requestId,
        @Nullable Object result,
        @Nullable Map<String, Object> error,
        String log) {
    private static final int SHOWN = 2000;

    static CpiAnswer parse(String method, String requestId, String stdout) {
        Map<String, Object> tree;
        try {
            tree = Json.object(stdout);
        } catch (IllegalArgumentException e) {
            throw invalid(method, requestId, e.getMessage() + "; it printed: " + shown(stdout));
        }
        if (!tree.containsKey("result")
                || !tree.containsKey("error")
                || !(tree.get("log") instanceof String log)) {
            throw invalid(
                    method,
                    requestId,
                    "'result', 'error' and a text 'log' are needed; it printed: " + shown(stdout));
        }
        return new CpiAnswer(
                method, requestId, tree.get("result"), error(method, requestId, tree), log);
    }

    private static @Nullable Map<String, Object> error(
            String method, String requestId, Map<String, Object> tree) {
        Object error = tree.get("error");
        if (error == null) {
            return null;
        }
        if (error instanceof Map<?, ?> map
                && map.get("type") instanceof String
                && map.get("message") instanceof String
                && map.get("ok_to_retry") instanceof Boolean) {
            return Json.asObject(map);
        }
        throw invalid(
                method,
                requestId,
                "its error lacks type, message or ok_to_retry: " + shown(Json.write(error)));
    }

    private static String shown(String text) {
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "...";
    }

    @Nullable Object resultOrThrow() {
        if (error == null) {
            return result;
        }
        String type = String.valueOf(error.get("type"));
        String message = String.valueOf(error.get("message"));
        CpiException.Type known = type(type, message);
        throw new CpiException(
                known,
                (known == CpiException.Type.UNKNOWN ? "Unknown CPI error '" : "CPI error '")
                        + type
                        + "' with message '"
                        + message
                        + "' in '"
                        + method
                        + "' CPI method (CPI request ID: '"
                        + requestId
                        + "')",
                Boolean.TRUE.equals(error.get("ok_to_retry")),
                null);
    }

    /** Two old spellings of "not implemented" are still about. */
    private static CpiException.Type type(String type, String message) {
        boolean old =
                type.equals("InvalidCall") && message.startsWith("Method is not known, got")
                        || type.equals("Bosh::Clouds::CloudError")
                                && message.startsWith("Invalid Method:");
        return old ? CpiException.Type.NOT_IMPLEMENTED : CpiException.Type.of(type);
    }

    static CpiException invalid(String method, String requestId, @Nullable String why) {
        return new CpiException(
                CpiException.Type.UNKNOWN,
                "Invalid CPI response in '"
                        + method
                        + "' CPI method (CPI request ID: '"
                        + requestId
                        + "'): "
                        + why);
    }
}
