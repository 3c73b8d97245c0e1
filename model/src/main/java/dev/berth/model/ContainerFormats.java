package dev.berth.model;

import dev.berth.model.ContainerSpec.PortBinding;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The small notations inside of a container's keys. All throw {@link IllegalArgumentException} that
 * says what is wrong and shows a right form.
 */
final class ContainerFormats {
    private static final Pattern BYTES =
            Pattern.compile("(\\d{1,15})(?:(b)|([kmgt])i?b?)?", Pattern.CASE_INSENSITIVE);
    private static final Pattern PERIOD =
            Pattern.compile("(\\d{1,12}(?:\\.\\d{1,9})?)(us|ms|s|m|h)");
    private static final Pattern PORTS =
            Pattern.compile(
                    "(?:(?:(\\[[^]]*]|[0-9.]*):)?([0-9]{1,5})?(?:-([0-9]{1,5}))?:)?"
                            + "([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/([a-zA-Z]+))?");
    private static final int MOST_PORTS = 1_000;

    private ContainerFormats() {}

    /** {@code 256m}: powers of 1024; no unit means bytes. */
    static long bytes(String text) {
        Matcher matcher = BYTES.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no size; write it as 512k, 256m or 2g");
        }
        String unit = matcher.group(3) == null ? "" : matcher.group(3).toLowerCase(Locale.ROOT);
        int shift = unit.isEmpty() ? 0 : 10 * (1 + "kmgt".indexOf(unit));
        long number = Long.parseLong(matcher.group(1));
        if (number > Long.MAX_VALUE >> shift) {
            throw new IllegalArgumentException("'" + text + "' is too large");
        }
        return number << shift;
    }

    /** {@code 1h5m30s20ms}. */
    static Duration duration(String text) {
        Matcher part = PERIOD.matcher(text);
        Duration sum = Duration.ZERO;
        int end = 0;
        while (end < text.length() && part.find(end) && part.start() == end) {
            BigDecimal nanos =
                    new BigDecimal(part.group(1))
                            .multiply(BigDecimal.valueOf(unit(part.group(2)).toNanos()));
            sum = sum.plus(Duration.ofNanos(nanos.min(YEAR).longValue()));
            end = part.end();
        }
        if (end == 0 || end < text.length()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no duration; write it as 30s, 500ms or 1m30s");
        }
        return sum;
    }

    private static final BigDecimal YEAR = BigDecimal.valueOf(Duration.ofDays(365).toNanos());

    private static Duration unit(String name) {
        return switch (name) {
            case "us" -> Duration.ofNanos(1_000);
            case "ms" -> Duration.ofMillis(1);
            case "s" -> Duration.ofSeconds(1);
            case "m" -> Duration.ofMinutes(1);
            default -> Duration.ofHours(1);
        };
    }

    /**
     * Splits a command as a shell would, quotes and backslashes honoured, nothing else interpreted.
     */
    static List<String> words(String text) {
        var words = new ArrayList<String>();
        var word = new StringBuilder();
        boolean inWord = false;
        char quote = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote == '\'' ? c != '\'' : c == '\\' && i + 1 < text.length()) {
                char taken = quote == '\'' ? c : text.charAt(++i);
                // in double quotes a backslash is itself unless it guards something
                if (quote == '"' && "\"\\$`".indexOf(taken) < 0) {
                    word.append('\\');
                }
                word.append(taken);
                inWord = true;
            } else if (quote != 0) {
                if (c == quote) {
                    quote = 0;
                } else {
                    word.append(c);
                }
            } else if (c == '\'' || c == '"') {
                quote = c;
                inWord = true;
            } else if (Character.isWhitespace(c)) {
                if (inWord) {
                    words.add(word.toString());
                    word.setLength(0);
                    inWord = false;
                }
            } else {
                word.append(c);
                inWord = true;
            }
        }
        if (quote != 0) {
            throw new IllegalArgumentException("a quote (" + quote + ") is not closed");
        }
        if (inWord) {
            words.add(word.toString());
        }
        return words;
    }

    /** {@code [[ip:][host[-end]]:]port[-end][/protocol]}. */
    static List<PortBinding> ports(String text) {
        Matcher matcher = PORTS.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "'"
                            + text
                            + "' is no port; write it as 8080:80, 127.0.0.1:8080:80 or 53:53/udp");
        }
        String ip = matcher.group(1) == null ? "" : matcher.group(1).replaceAll("[\\[\\]]", "");
        if (!ip.isEmpty()) {
            ip = IpAddress.parse(ip).toString();
        }
        int first = port(matcher.group(4));
        int last = matcher.group(5) == null ? first : port(matcher.group(5));
        boolean published = matcher.group(2) != null;
        int host = published ? port(matcher.group(2)) : 0;
        int hostLast = matcher.group(3) == null ? host : port(matcher.group(3));
        if (last < first || last - first >= MOST_PORTS) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no range of at most " + MOST_PORTS + " ports");
        }
        if (!published && matcher.group(3) != null
                || published && hostLast - host != last - first) {
            throw new IllegalArgumentException(
                    "'" + text + "' publishes a range of another length than it has ports");
        }
        String protocol = protocol(matcher.group(6) == null ? "tcp" : matcher.group(6));
        var bindings = new ArrayList<PortBinding>();
        for (int i = 0; i <= last - first; i++) {
            bindings.add(new PortBinding(ip, published ? host + i : 0, first + i, protocol));
        }
        return bindings;
    }

    static String protocol(String text) {
        String protocol = text.toLowerCase(Locale.ROOT);
        if (!List.of("tcp", "udp", "sctp").contains(protocol)) {
            throw new IllegalArgumentException("'" + text + "' is no protocol: tcp, udp or sctp");
        }
        return protocol;
    }

    static int port(String text) {
        if (!text.matches("\\d{1,5}")
                || Integer.parseInt(text) < 1
                || Integer.parseInt(text) > 65535) {
            throw new IllegalArgumentException("'" + text + "' is no port: 1 to 65535");
        }
        return Integer.parseInt(text);
    }
}
