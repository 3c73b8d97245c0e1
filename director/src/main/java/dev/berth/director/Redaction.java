package dev.berth.director;

import dev.berth.model.Json;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.regex.Pattern;

/**
 * The last guard of rule R8: takes secrets out of text before it is written. Code is not to hand
 * secrets to logs in the first place; this catches what comes back in the words of others, such as
 * the error of a CPI that repeats its arguments. Thread-safe.
 */
public final class Redaction {
    private static final String MASK = "<redacted>";

    /** Shorter values would take ordinary words out of every message. */
    private static final int SHORTEST = 6;

    private static final int SHORTEST_LINE = 24;

    private static final Pattern PRIVATE_KEY =
            Pattern.compile(
                    "-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)",
                    Pattern.DOTALL);

    private static final Pattern URL_CREDENTIALS =
            Pattern.compile("(?<=://)[^\\s/@:\"']{1,200}:[^\\s/@\"']{1,500}(?=@)");

    private static final Pattern SIGNATURE = Pattern.compile("(?<=[?&]st=)[A-Za-z0-9_-]{20,}");

    /** Longest first, so that a secret which holds another is masked whole. */
    private final Set<String> secrets =
            new ConcurrentSkipListSet<>((a, b) ->
                    a.length() != b.length()
                            ? Integer.compare(b.length(), a.length())
                            : a.compareTo(b));

    /** From now on the value shows nowhere: as it is, as JSON text, nor any long line of it. */
    public void hide(String secret) {
        if (secret.length() < SHORTEST) {
            return;
        }
        secrets.add(secret);
        String json = Json.write(secret);
        secrets.add(json.substring(1, json.length() - 1));
        if (secret.contains("\n")) {
            secret.lines()
                    .map(String::strip)
                    .filter(line -> line.length() >= SHORTEST_LINE && !line.startsWith("-----"))
                    .forEach(secrets::add);
        }
    }

    public String apply(String text) {
        String result = text;
        for (String secret : secrets) {
            if (result.contains(secret)) {
                result = result.replace(secret, MASK);
            }
        }
        if (result.contains("PRIVATE KEY-----")) {
            result = PRIVATE_KEY.matcher(result).replaceAll(MASK);
        }
        if (result.contains("://")) {
            result = URL_CREDENTIALS.matcher(result).replaceAll(MASK);
            result = SIGNATURE.matcher(result).replaceAll(MASK);
        }
        return result;
    }
}
