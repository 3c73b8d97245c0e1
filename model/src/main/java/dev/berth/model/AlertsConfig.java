package dev.berth.model;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Who is told of alerts, and when: the config of type {@code alerts}. Read by {@link
 * AlertsConfigs}. With the values of variables it holds secrets: for the moment of use only.
 */
public record AlertsConfig(List<Sink> sinks, Timing timing, List<Problem> warnings) {
    /** Nobody is told; alerts are kept all the same. */
    public static final AlertsConfig EMPTY = new AlertsConfig(List.of(), Timing.DEFAULT, List.of());

    /**
     * When an alert is told.
     *
     * @param settle how long an instance must be down before that is told; what goes down meanwhile
     *     is told together
     * @param groupFrom that many instances down at about the same time are one alert
     * @param groupWithin at about the same time
     * @param updateEvery at most so often is told that a list has changed
     * @param flapTimes what begins that often ...
     * @param flapWithin ... in this time flaps, and is told no more ...
     * @param flapQuiet ... before it has been quiet for so long
     */
    public record Timing(
            Duration settle,
            int groupFrom,
            Duration groupWithin,
            Duration updateEvery,
            int flapTimes,
            Duration flapWithin,
            Duration flapQuiet) {
        public static final Timing DEFAULT =
                new Timing(
                        Duration.ofSeconds(2),
                        3,
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(60),
                        3,
                        Duration.ofSeconds(600),
                        Duration.ofSeconds(300));
    }

    /**
     * One place that is told.
     *
     * @param name what queues, metrics and people call it
     */
    public record Sink(String name, Filter filter, Target target) {
        @Override
        public String toString() {
            return "Sink[" + name + "]"; // the target holds secrets
        }
    }

    /**
     * What a sink is told of; empty lists let everything pass.
     *
     * @param severity this number and those below: lower is worse
     * @param deployments names, in which {@code *} stands for any characters
     * @param groups instance groups, likewise
     */
    public record Filter(int severity, List<String> deployments, List<String> groups) {
        /** Those that want everything. */
        public static final Filter ALL = new Filter(4, List.of(), List.of());

        /**
         * @param concernsDeployments none: the environment as a whole, which passes only where no
         *     deployment is asked for
         */
        public boolean passes(
                int itsSeverity, List<String> concernsDeployments, List<String> concernsGroups) {
            return itsSeverity <= severity
                    && anyOf(deployments, concernsDeployments)
                    && anyOf(groups, concernsGroups);
        }

        private static boolean anyOf(List<String> patterns, List<String> names) {
            return patterns.isEmpty()
                    || patterns.stream()
                            .map(Filter::pattern)
                            .anyMatch(p -> names.stream().anyMatch(n -> p.matcher(n).matches()));
        }

        private static Pattern pattern(String glob) {
            return Pattern.compile(
                    java.util.Arrays.stream(glob.split("\\*", -1))
                            .map(Pattern::quote)
                            .collect(java.util.stream.Collectors.joining(".*")));
        }
    }

    /** How a sink is reached. */
    public sealed interface Target {
        /** The word under {@code type}. */
        String type();
    }

    /** How a mail server is spoken to. */
    public enum MailTls {
        NONE,
        STARTTLS,
        IMPLICIT
    }

    /**
     * Mail over SMTP.
     *
     * @param ca PEM of the authorities that are trusted; null: the machine's
     * @param username null: no authentication
     * @param digest one mail so often instead of one an alert; null: at once
     */
    public record Email(
            String host,
            int port,
            MailTls tls,
            @Nullable Secret ca,
            @Nullable String username,
            @Nullable Secret password,
            String from,
            List<String> to,
            @Nullable Duration digest)
            implements Target {
        @Override
        public String type() {
            return "email";
        }
    }

    /** PagerDuty's Events API v2. */
    public record PagerDuty(Secret routingKey, URI url) implements Target {
        @Override
        public String type() {
            return "pagerduty";
        }
    }

    /** A pager that speaks Opsgenie's Alert API. */
    public record Opsgenie(Secret apiKey, URI url, List<String> responders, List<String> tags)
            implements Target {
        @Override
        public String type() {
            return "opsgenie";
        }
    }

    /**
     * Anything that takes JSON by HTTP.
     *
     * @param url a secret, for the URLs of chat systems are their own passwords
     * @param headers may hold secrets
     * @param body a JSON tree with {@code {{field}}} in its texts; null: the notice itself
     */
    public record Webhook(
            Secret url, Map<String, Secret> headers, @Nullable Object body, @Nullable Secret ca)
            implements Target {
        @Override
        public String type() {
            return "webhook";
        }

        @Override
        public String toString() {
            return "Webhook[<redacted>]";
        }
    }

    /** How a syslog server is spoken to. */
    public enum SyslogTransport {
        UDP,
        TCP,
        TLS
    }

    /** RFC 5424. */
    public record Syslog(
            String host,
            int port,
            SyslogTransport transport,
            int facility,
            String appName,
            @Nullable Secret ca)
            implements Target {
        @Override
        public String type() {
            return "syslog";
        }
    }

    /** JSON lines to the director's standard output. */
    public record Stdout() implements Target {
        @Override
        public String type() {
            return "stdout";
        }
    }

    /**
     * Executables that stay and take JSON lines, as the reference's {@code json} plugin starts
     * them.
     *
     * @param executables absolute paths, in whose names {@code *} stands for any characters
     */
    public record Plugin(List<String> executables) implements Target {
        @Override
        public String type() {
            return "json";
        }
    }
}
