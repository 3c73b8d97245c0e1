package dev.berth.model;

import dev.berth.model.ContainerNetwork.PortBinding;
import dev.berth.model.ContainerResources.Device;
import dev.berth.model.ContainerResources.Ulimit;
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
    private static final Pattern LIMIT = Pattern.compile("(-1|\\d{1,18})(?::(-1|\\d{1,18}))?");
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
        // of a range for a single port the engine takes whatever is free
        boolean choice = published && first == last && hostLast > host;
        if (!published && matcher.group(3) != null
                || published && !choice && hostLast - host != last - first) {
            throw new IllegalArgumentException(
                    "'" + text + "' publishes a range of another length than it has ports");
        }
        String protocol = protocol(matcher.group(6) == null ? "tcp" : matcher.group(6));
        var bindings = new ArrayList<PortBinding>();
        if (choice) {
            return List.of(new PortBinding(ip, host, first, protocol, hostLast));
        }
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

    /** {@code port[-end][/protocol]}, as the Engine's {@code 80/tcp}. */
    static List<String> exposed(String text) {
        List<PortBinding> ports = text.indexOf(':') < 0 ? ports(text) : List.of();
        if (ports.isEmpty()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no port to expose; write it as 80, 53/udp or 80-90");
        }
        return ports.stream().map(p -> p.containerPort() + "/" + p.protocol()).toList();
    }

    /** {@code soft[:hard]}; -1: no limit. */
    static Ulimit ulimit(String name, String text) {
        Matcher matcher = LIMIT.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no limit; write it as 1024 or 1024:2048");
        }
        long soft = Long.parseLong(matcher.group(1));
        long hard = matcher.group(2) == null ? soft : Long.parseLong(matcher.group(2));
        if (hard >= 0 && (soft < 0 || soft > hard)) {
            throw new IllegalArgumentException(
                    "the soft limit of '" + name + "' is above the hard one");
        }
        return new Ulimit(name, soft, hard);
    }

    /** {@code host[:in[:rwm]]}. */
    static Device device(String text) {
        String[] parts = text.split(":", -1);
        boolean short2 = parts.length == 2 && parts[1].matches("[rwm]+");
        String in = parts.length > 1 && !short2 ? parts[1] : parts[0];
        String permissions = parts.length == 3 ? parts[2] : short2 ? parts[1] : "rwm";
        if (parts.length > 3
                || !parts[0].startsWith("/")
                || !in.startsWith("/")
                || !permissions.matches("[rwm]{1,3}")) {
            throw new IllegalArgumentException(
                    "'"
                            + text
                            + "' is no device; write it as /dev/a, /dev/a:/dev/b or /dev/a:/dev/b:r");
        }
        return new Device(parts[0], in, permissions);
    }

    /** Processors as a decimal number, times 10⁹. */
    static long nanoCpus(String text) {
        if (!text.strip().matches("\\d{1,5}(\\.\\d{1,9})?|\\.\\d{1,9}")) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no number of processors, such as 0.5");
        }
        return new BigDecimal(text.strip()).movePointRight(9).longValueExact();
    }

    /** Permission bits in octal. */
    static int mode(String text) {
        if (!text.matches("(0o?)?[0-7]{1,4}")) {
            throw new IllegalArgumentException("'" + text + "' is no file mode, such as 0440");
        }
        return Integer.parseInt(text.replace("o", ""), 8);
    }

    /** {@code name=address} or {@code name:address}, as the Engine's {@code name:address}. */
    static String extraHost(String text) {
        int at = text.indexOf('=') >= 0 ? text.indexOf('=') : text.indexOf(':');
        String address = at < 0 ? "" : text.substring(at + 1).replaceAll("[\\[\\]]", "");
        if (at < 1 || address.isEmpty()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no host; write it as db=10.0.0.5 or db=host-gateway");
        }
        if (!address.equals("host-gateway")) {
            address = IpAddress.parse(address).toString();
        }
        return text.substring(0, at) + ":" + address;
    }
}
