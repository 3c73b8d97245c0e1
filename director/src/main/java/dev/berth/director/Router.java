package dev.berth.director;

import dev.berth.model.ProblemException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the endpoint of a request as the stock clients need it: segments are split before they are
 * decoded ({@code %2F} may stand inside one), {@code *} is an ordinary segment, and a route that
 * wants a media type does not exist for any other. Filled first, then only read.
 */
final class Router {
    private static final String ANY = "";

    /** Routes by method and number of segments. */
    private final Map<String, List<Route>> routes = new HashMap<>();

    /** Answers one call. */
    @FunctionalInterface
    interface Handler {
        Reply handle(Call call) throws Exception;
    }

    /** An endpoint; segments in braces are parameters. */
    private record Route(List<String> segments, String mediaType, Access access, Handler handler) {}

    /** A route that fits, with its parameters. */
    record Match(Access access, Handler handler, Map<String, String> parameters) {}

    Router get(String path, Access access, Handler handler) {
        return on("GET", path, ANY, access, handler);
    }

    Router delete(String path, Access access, Handler handler) {
        return on("DELETE", path, ANY, access, handler);
    }

    /**
     * @param path such as {@code /deployments/{name}}
     * @param mediaType the only one accepted; empty: any or none
     */
    Router on(String method, String path, String mediaType, Access access, Handler handler) {
        List<String> segments = List.of(path.substring(1).split("/"));
        routes.computeIfAbsent(method + segments.size(), ignored -> new ArrayList<>())
                .add(new Route(segments, mediaType, access, handler));
        return this;
    }

    /**
     * @param rawPath as sent, without the query
     * @param contentType as sent; its parameters are ignored
     */
    Optional<Match> match(String method, String rawPath, @Nullable String contentType) {
        List<String> segments = decode(rawPath);
        String mediaType =
                contentType == null
                        ? ANY
                        : contentType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        String verb = method.equals("HEAD") ? "GET" : method;
        for (Route route : routes.getOrDefault(verb + segments.size(), List.of())) {
            if (route.mediaType.equals(ANY) || route.mediaType.equals(mediaType)) {
                Map<String, String> parameters = fit(route.segments, segments);
                if (parameters != null) {
                    return Optional.of(new Match(route.access, route.handler, parameters));
                }
            }
        }
        return Optional.empty();
    }

    private static @Nullable Map<String, String> fit(List<String> wanted, List<String> got) {
        var parameters = new LinkedHashMap<String, String>();
        for (int i = 0; i < wanted.size(); i++) {
            String name = wanted.get(i);
            if (name.startsWith("{")) {
                parameters.put(name.substring(1, name.length() - 1), got.get(i));
            } else if (!name.equals(got.get(i))) {
                return null;
            }
        }
        return parameters;
    }

    private static List<String> decode(String rawPath) {
        String path = rawPath.endsWith("/") ? rawPath.substring(0, rawPath.length() - 1) : rawPath;
        var segments = new ArrayList<String>();
        for (String segment : path.replaceFirst("^/+", "").split("/", -1)) {
            segments.add(decodeSegment(segment));
        }
        return segments;
    }

    /** Percent-decodes; a plus is a plus. */
    static String decodeSegment(String segment) {
        if (segment.indexOf('%') < 0) {
            return segment;
        }
        var bytes = new ByteArrayOutputStream();
        try {
            for (int i = 0; i < segment.length(); i++) {
                char c = segment.charAt(i);
                if (c == '%') {
                    bytes.write(Integer.parseInt(segment, i + 1, i + 3, 16));
                    i += 2;
                } else {
                    bytes.writeBytes(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
                }
            }
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (NumberFormatException | IndexOutOfBoundsException | CharacterCodingException e) {
            throw new ProblemException(40005, "The path segment '" + segment + "' is not encoded");
        }
    }
}
