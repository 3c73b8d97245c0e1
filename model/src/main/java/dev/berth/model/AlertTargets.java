package dev.berth.model;

import dev.berth.model.AlertsConfig.Email;
import dev.berth.model.AlertsConfig.MailTls;
import dev.berth.model.AlertsConfig.Opsgenie;
import dev.berth.model.AlertsConfig.PagerDuty;
import dev.berth.model.AlertsConfig.Plugin;
import dev.berth.model.AlertsConfig.Stdout;
import dev.berth.model.AlertsConfig.Syslog;
import dev.berth.model.AlertsConfig.SyslogTransport;
import dev.berth.model.AlertsConfig.Target;
import dev.berth.model.AlertsConfig.Webhook;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads how a sink of alerts is reached. */
final class AlertTargets {
    private static final Map<String, Set<String>> KEYS =
            Map.of(
                    "email", Set.of("smtp", "from", "to", "digest"),
                    "pagerduty", Set.of("routing_key", "url"),
                    "opsgenie", Set.of("api_key", "url", "responders", "tags"),
                    "webhook", Set.of("url", "headers", "body", "format", "ca"),
                    "syslog", Set.of("host", "port", "transport", "facility", "app_name", "ca"),
                    "stdout", Set.of(),
                    "json", Set.of("executables"));

    /** Where a secret would stand in clear. */
    private static final List<String> SEALED = List.of("routing_key", "api_key");

    private static final Set<String> FORMATS = Set.of("json", "slack", "teams");
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9:]([A-Za-z0-9.:_-]{0,252})");
    private static final Pattern ADDRESS =
            Pattern.compile("([^<>\\r\\n]{0,200}<)?[^\\s@<>,;]{1,64}@[^\\s@<>,;]{1,255}>?");
    private static final Pattern HEADER = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}");
    private static final int LONGEST_SECRET = 4 * 1024;
    private static final int LONGEST_CA = 256 * 1024;
    private static final int MOST_NAMES = 100;
    private static final int LONGEST_BODY = 64 * 1024;

    private static final List<String> FACILITIES =
            List.of(
                    "kern",
                    "user",
                    "mail",
                    "daemon",
                    "auth",
                    "syslog",
                    "lpr",
                    "news",
                    "uucp",
                    "cron",
                    "authpriv",
                    "ftp",
                    "ntp",
                    "audit",
                    "alert",
                    "clock",
                    "local0",
                    "local1",
                    "local2",
                    "local3",
                    "local4",
                    "local5",
                    "local6",
                    "local7");

    private AlertTargets() {}

    /** On the text as written, before variables have values. */
    static void requireSealed(Section sink) {
        SEALED.forEach(key -> requireVariable(sink, key));
        requireVariable(
                sink.has("smtp") && sink.at("smtp").isMap() ? sink.section("smtp") : null,
                "password");
        if (sink.has("headers") && sink.at("headers").isMap()) {
            Section headers = sink.section("headers");
            for (String name : headers.tree().keySet()) {
                if (name.toLowerCase(Locale.ROOT).matches(".*(auth|key|token|secret|cookie).*")) {
                    requireVariable(headers, name);
                }
            }
        }
    }

    private static void requireVariable(@Nullable Section section, String key) {
        if (section == null || !section.has(key)) {
            return;
        }
        Spot spot = section.at(key);
        if (spot.isScalar() && Placeholder.inside(spot.text()).isEmpty()) {
            spot.findings().secret(spot.text());
            spot.error(
                    "'" + key + "' stands here in clear: all users may read a config",
                    "berth set-variable /NAME, and write ((/NAME)) here");
        }
    }

    /** Null after a problem that leaves nothing to go on with. */
    static @Nullable Target read(Section section, Set<String> common) {
        String type = section.string("type");
        Set<String> own = KEYS.get(type);
        if (own == null) {
            if (!type.isEmpty()) {
                section.at("type")
                        .error(
                                "there is no sink of type '" + type + "'",
                                Nearest.of(type, KEYS.keySet())
                                        .map(k -> "did you mean '" + k + "'?")
                                        .orElse(
                                                "one of "
                                                        + String.join(
                                                                ", ",
                                                                new java.util.TreeSet<>(
                                                                        KEYS.keySet()))));
            }
            return null;
        }
        var keys = new LinkedHashSet<>(common);
        keys.addAll(own);
        keys.addAll(List.of("name", "type"));
        section.checkKeys(keys, Map.of());
        return switch (type) {
            case "email" -> email(section);
            case "pagerduty" ->
                    new PagerDuty(
                            secret(section, "routing_key"),
                            url(section, "url", "https://events.pagerduty.com/v2/enqueue"));
            case "opsgenie" ->
                    new Opsgenie(
                            secret(section, "api_key"),
                            url(section, "url", "https://api.opsgenie.com/v2/alerts"),
                            names(section, "responders"),
                            names(section, "tags"));
            case "webhook" -> webhook(section);
            case "syslog" -> syslog(section);
            case "json" -> plugin(section);
            default -> new Stdout();
        };
    }

    // --- mail

    private static Email email(Section section) {
        Section smtp = section.section("smtp");
        if (!section.has("smtp")) {
            section.string("smtp"); // says that it is missing
        }
        smtp.checkKeys(
                Set.of("host", "port", "tls", "ca", "username", "password"),
                Map.of("domain", "the machine's own name is said to the server"));
        MailTls tls = choice(smtp, "tls", MailTls.values(), MailTls.STARTTLS);
        long usual = tls == MailTls.IMPLICIT ? 465 : tls == MailTls.STARTTLS ? 587 : 25;
        boolean password = smtp.has("password");
        if (password != smtp.has("username")) {
            smtp.spot()
                    .error(
                            "'username' and 'password' go together",
                            "give both, or neither for a server that asks for none");
        }
        if (password && tls == MailTls.NONE) {
            smtp.at("tls")
                    .error(
                            "a password would cross the network in clear",
                            "use 'starttls' or 'implicit'");
        }
        List<String> to = section.strings("to");
        if (to.isEmpty()) {
            section.at("to").error("nobody is to get the mail", "to: [ops@example.com]");
        } else if (to.size() > MOST_NAMES) {
            section.at("to").error("more than " + MOST_NAMES + " addresses", "use a list server");
        }
        for (Spot spot : section.items("to")) {
            address(spot);
        }
        String from = section.string("from");
        if (!from.isEmpty()) {
            address(section.at("from"));
        }
        return new Email(
                host(smtp),
                (int) AlertsConfigs.number(smtp, "port", usual, 1, 65535),
                tls,
                ca(smtp, tls != MailTls.NONE),
                smtp.optionalString("username"),
                password ? secret(smtp, "password") : null,
                from,
                to,
                section.has("digest")
                        ? AlertsConfigs.seconds(section, "digest", Duration.ZERO, 10, 604_800)
                        : null);
    }

    private static void address(Spot spot) {
        if (spot.isScalar() && !ADDRESS.matcher(spot.text()).matches()) {
            spot.error("'" + spot.text() + "' is no mail address", "NAME@HOST");
        }
    }

    // --- HTTP

    private static Webhook webhook(Section section) {
        String written = section.string("url");
        if (!written.isEmpty()) {
            uri(section.at("url"), written, true);
        }
        if (section.has("body") && section.has("format")) {
            section.at("format").error("'format' and 'body' say the same", "remove one of them");
        }
        Object body = section.has("body") ? section.at("body").value() : null;
        if (body != null && !(body instanceof Map<?, ?>)) {
            section.at("body").error("'body' is an object of JSON", "text: \"{{title}}\"");
        } else if (body != null) {
            if (Json.write(body).length() > LONGEST_BODY) {
                section.at("body").error("'body' is longer than " + LONGEST_BODY, "shorten it");
            }
            fields(section.at("body"), body);
        } else if (section.has("format")) {
            body = format(section);
        }
        var headers = new LinkedHashMap<String, Secret>();
        section.stringMap("headers")
                .forEach((name, value) -> {
                    Spot spot = section.section("headers").at(name);
                    if (!HEADER.matcher(name).matches()) {
                        spot.error("'" + name + "' is no name of a header", null);
                    }
                    if (value.length() > LONGEST_SECRET || value.matches("(?s).*[\\r\\n].*")) {
                        spot.error(
                                "the value is longer than " + LONGEST_SECRET + " or has a line end",
                                null);
                    }
                    headers.put(name, new Secret(value));
                });
        return new Webhook(new Secret(written), headers, body, ca(section, true));
    }

    private static @Nullable Object format(Section section) {
        String format = section.string("format");
        if (!FORMATS.contains(format)) {
            section.at("format")
                    .error(
                            "there is no format '" + format + "'",
                            "json, slack or teams; or write a 'body'");
        }
        return switch (format) {
            case "slack" -> Json.of("text", "{{icon}} *{{headline}}*\n{{text}}");
            case "teams" ->
                    Json.of(
                            "type",
                            "message",
                            "attachments",
                            List.of(
                                    Json.of(
                                            "contentType",
                                            "application/vnd.microsoft.card.adaptive",
                                            "content",
                                            Json.of(
                                                    "type",
                                                    "AdaptiveCard",
                                                    "version",
                                                    "1.4",
                                                    "body",
                                                    List.of(
                                                            block("{{headline}}", true),
                                                            block("{{text}}", false))))));
            default -> null;
        };
    }

    private static Map<String, Object> block(String text, boolean heading) {
        return Json.of(
                "type",
                "TextBlock",
                "text",
                text,
                "wrap",
                true,
                "weight",
                heading ? "Bolder" : "Default");
    }

    private static void fields(Spot spot, @Nullable Object value) {
        switch (value) {
            case Map<?, ?> map -> map.values().forEach(v -> fields(spot, v));
            case List<?> list -> list.forEach(v -> fields(spot, v));
            case String text ->
                    AlertTemplate.unknown(text)
                            .forEach(name ->
                                    spot.error(
                                            "there is no field {{" + name + "}}",
                                            Nearest.of(name, AlertTemplate.FIELDS)
                                                    .map(k -> "did you mean {{" + k + "}}?")
                                                    .orElse(
                                                            "one of "
                                                                    + String.join(
                                                                            ", ",
                                                                            AlertTemplate
                                                                                    .FIELDS))));
            case null, default -> {}
        }
    }

    private static URI url(Section section, String key, String otherwise) {
        return section.has(key)
                ? uri(section.at(key), section.string(key), false)
                : URI.create(otherwise);
    }

    /** The URL of a chat system is a password: it is not repeated. */
    private static URI uri(Spot spot, String written, boolean secret) {
        String shown = secret ? "the URL" : "'" + written + "'";
        try {
            URI uri = new URI(written);
            if (uri.getHost() != null
                    && ("https".equals(uri.getScheme()) || "http".equals(uri.getScheme()))
                    && uri.getUserInfo() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // said below
        }
        boolean left = !Placeholder.inside(written).isEmpty() && spot.findings().hasUnresolved();
        if (!left) {
            spot.error(
                    shown + " cannot be called",
                    "https://HOST/PATH; credentials go into 'headers', as variables");
        }
        return URI.create("https://invalid");
    }

    // --- the rest

    private static Syslog syslog(Section section) {
        SyslogTransport transport =
                choice(section, "transport", SyslogTransport.values(), SyslogTransport.UDP);
        String facility = section.has("facility") ? section.string("facility") : "daemon";
        int number = FACILITIES.indexOf(facility);
        if (number < 0) {
            section.at("facility")
                    .error(
                            "there is no facility '" + facility + "'",
                            "one of " + String.join(", ", FACILITIES));
        }
        String app = section.has("app_name") ? section.string("app_name") : "berth";
        if (!app.matches("[!-~]{1,48}")) {
            section.at("app_name").error("'app_name' is 1 to 48 characters without blanks", null);
        }
        return new Syslog(
                host(section),
                (int)
                        AlertsConfigs.number(
                                section,
                                "port",
                                transport == SyslogTransport.TLS ? 6514 : 514,
                                1,
                                65535),
                transport,
                Math.max(0, number),
                app,
                ca(section, transport == SyslogTransport.TLS));
    }

    private static Plugin plugin(Section section) {
        List<String> paths =
                section.has("executables")
                        ? names(section, "executables")
                        : List.of("/var/vcap/jobs/*/bin/bosh-monitor/*");
        for (Spot spot : section.items("executables")) {
            if (spot.isScalar() && (!spot.text().startsWith("/") || spot.text().contains("/../"))) {
                spot.error("'" + spot.text() + "' is no absolute path", "/PATH/TO/PLUGIN");
            }
        }
        return new Plugin(paths);
    }

    private static List<String> names(Section section, String key) {
        List<String> names = section.strings(key);
        if (names.size() > MOST_NAMES) {
            section.at(key).error("more than " + MOST_NAMES, "leave some out");
            return List.of();
        }
        return new ArrayList<>(names);
    }

    private static String host(Section section) {
        String host = section.string("host");
        if (!host.isEmpty() && !HOST.matcher(host).matches()) {
            section.at("host")
                    .error("'" + host + "' is no host", "a name or an address, without a port");
        }
        return host;
    }

    private static @Nullable Secret ca(Section section, boolean encrypted) {
        if (!section.has("ca")) {
            return null;
        }
        Spot spot = section.at("ca");
        String pem = spot.isScalar() ? spot.text() : "";
        if (!encrypted) {
            spot.error("'ca' has no meaning without TLS", "remove it, or use TLS");
        } else if (pem.length() > LONGEST_CA || !pem.contains("-----BEGIN CERTIFICATE-----")) {
            spot.error("'ca' is no certificate", "the PEM text of one or more authorities");
        }
        return new Secret(pem);
    }

    private static Secret secret(Section section, String key) {
        String value = section.string(key);
        if (section.has(key) && (value.isEmpty() || value.length() > LONGEST_SECRET)) {
            section.at(key).error("'" + key + "' is 1 to " + LONGEST_SECRET + " characters", null);
        }
        return new Secret(value);
    }

    private static <E extends Enum<E>> E choice(Section section, String key, E[] all, E otherwise) {
        if (!section.has(key)) {
            return otherwise;
        }
        Spot spot = section.at(key);
        var words = new ArrayList<String>();
        for (E one : all) {
            String word = one.name().toLowerCase(Locale.ROOT);
            words.add(word);
            if (spot.isScalar() && spot.text().equals(word)) {
                return one;
            }
        }
        spot.error("'" + key + "' is one of " + String.join(", ", words), null);
        return otherwise;
    }
}
