package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP request, free of the server's types.
 *
 * @param path as sent, still encoded
 * @param parameters the variable segments of the route, decoded one by one
 * @param query by name, in the order sent
 * @param header by name; null when absent
 * @param user null when nobody, or nobody known, asks
 * @param length of the body as announced; -1 when unknown
 */
record Call(
        String method,
        String path,
        Map<String, String> parameters,
        Map<String, List<String>> query,
        UnaryOperator<@Nullable String> header,
        Users.@Nullable User user,
        long length,
        InputStream body) {
    /** Manifests and configs are read whole into memory. */
    private static final int LONGEST_TEXT = 16 << 20;

    private static final int LONGEST_CONTEXT_ID = 64;

    String parameter(String name) {
        String value = parameters.get(name);
        if (value == null) {
            throw new IllegalStateException("the route has no parameter " + name);
        }
        return value;
    }

    @Nullable String query(String name) {
        List<String> values = query.get(name);
        return values == null ? null : values.getFirst();
    }

    /** Set only when the value is exactly {@code true}. */
    boolean flag(String name) {
        return "true".equals(query(name));
    }

    String userName() {
        return user == null ? "admin" : user.name();
    }

    String contextId() {
        String id = header.apply("X-Bosh-Context-Id");
        if (id != null && id.length() > LONGEST_CONTEXT_ID) {
            throw new ProblemException(
                    70010,
                    "X-Bosh-Context-Id cannot be more than "
                            + LONGEST_CONTEXT_ID
                            + " characters in length");
        }
        return id == null ? "" : id;
    }

    String text() throws IOException {
        byte[] bytes = body.readNBytes(LONGEST_TEXT + 1);
        if (bytes.length > LONGEST_TEXT) {
            throw new ProblemException(
                    440001, "The body is longer than " + (LONGEST_TEXT >> 20) + " MiB");
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** The body as a JSON object; anything else is problem 710001. */
    Fields json() throws IOException {
        try {
            return Fields.of(Json.parse(text()), "body");
        } catch (IllegalArgumentException e) {
            throw new ProblemException(710001, "Invalid JSON object: " + e.getMessage());
        }
    }

    /** Splits a raw query; reserved characters such as brackets may stand in it as they are. */
    static Map<String, List<String>> parseQuery(@Nullable String raw) {
        var query = new LinkedHashMap<String, List<String>>();
        if (raw != null) {
            for (String pair : raw.split("&")) {
                int equals = pair.indexOf('=');
                String name = equals < 0 ? pair : pair.substring(0, equals);
                if (!name.isEmpty()) {
                    query.computeIfAbsent(decoded(name), ignored -> new ArrayList<>())
                            .add(equals < 0 ? "" : decoded(pair.substring(equals + 1)));
                }
            }
        }
        return query;
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new ProblemException(40005, "The query is not well encoded: " + e.getMessage());
        }
    }
}
