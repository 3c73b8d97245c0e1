package dev.berth.bus;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.berth.model.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Who was refused by the bus because of a certificate, read from what the server logs: it publishes
 * no event of those who never got in. Where the handshake fails there is no name, only the address
 * from which it was tried. Thread-safe.
 */
final class RefusalLog {
    /** Of as many addresses, the latest. */
    private static final int MOST = 20_000;

    /** In one look; beyond it the oldest is passed over: each that is refused tries again. */
    private static final int LOOK = 1024 * 1024;

    private static final Pattern LINE =
            Pattern.compile(
                    "\\[ERR\\] (?:\\[([0-9a-fA-F:.]+)]|([0-9.]+)):\\d+ - cid:\\d+ - (?:\"[^\"]{0,400}\" - )?(.{1,400})");

    private final NatsConfig config;
    private final Clock clock;
    private final Map<String, Refusal> latest =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Refusal> eldest) {
                    return size() > MOST;
                }
            };
    private long place;

    RefusalLog(NatsConfig config, Clock clock) {
        this.config = config;
        this.clock = clock;
        this.place = NatsProcess.logEnd(config);
    }

    /** Reads what has come since the last look. */
    synchronized void look() {
        long end = NatsProcess.logEnd(config);
        if (end == place) {
            return;
        }
        // A byte is a character here, so that places are counted right whatever a client has sent.
        String text = new String(NatsProcess.logSince(config, place, LOOK), ISO_8859_1);
        // A line that is being written is read the next time.
        int whole = text.lastIndexOf('\n') + 1;
        long begin = end < place ? Math.max(0, end - LOOK) : Math.max(place, end - LOOK);
        place = begin + whole;
        Instant now = clock.now();
        text.substring(0, whole).lines().forEach(line -> take(line, now));
    }

    private void take(String line, Instant now) {
        Matcher matcher = LINE.matcher(line);
        if (!matcher.find()) {
            return;
        }
        String words = matcher.group(3);
        String reason = reason(words);
        if (reason != null) {
            String address = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
            latest.put(address, new Refusal(reason, now));
        }
    }

    /** Null: it failed for another reason; a port scan, say, or an end in the middle. */
    static @Nullable String reason(String words) {
        if (words.startsWith("authentication error")) {
            return "the bus does not let its name in";
        }
        if (!words.startsWith("TLS handshake error")) {
            return null;
        }
        if (words.contains("remote error")) {
            return words.matches(
                            ".*(bad certificate|unknown certificate|certificate expired"
                                    + "|certificate unknown|unknown authority|expired certificate).*")
                    ? "the agent does not accept the certificate of the bus: its clock is wrong, or"
                            + " it knows another CA"
                    : null;
        }
        if (words.contains("has expired or is not yet valid")) {
            return "its certificate has expired, or is not valid yet";
        }
        if (words.contains("unknown authority")) {
            return "its certificate is of a CA that is not trusted";
        }
        if (words.contains("didn't provide a certificate")) {
            return "it shows no certificate";
        }
        return words.contains("certificate") || words.contains("x509")
                ? "its certificate is refused"
                : null;
    }

    /** The latest refusal within the time from one of the addresses. */
    synchronized Optional<Refusal> of(Iterable<String> addresses, Duration within) {
        look();
        Instant from = clock.now().minus(within);
        Refusal found = null;
        for (String address : addresses) {
            Refusal here = recent(latest.get(address), from);
            found = here == null || found != null && found.at().isAfter(here.at()) ? found : here;
        }
        return Optional.ofNullable(found);
    }

    private static @Nullable Refusal recent(@Nullable Refusal refusal, Instant from) {
        return refusal == null || refusal.at().isBefore(from) ? null : refusal;
    }
}
