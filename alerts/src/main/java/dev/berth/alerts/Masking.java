package dev.berth.alerts;

import dev.berth.model.Secret;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Takes the secrets of a sink out of what others say (rule R8). Immutable. */
final class Masking {
    private static final int LONGEST = 1_000;
    private final List<String> secrets = new ArrayList<>();

    Masking(List<@Nullable Secret> hidden) {
        for (Secret secret : hidden) {
            if (secret != null && secret.reveal().length() > 2) {
                String text = secret.reveal();
                secrets.add(text);
                secrets.add(
                        Base64.getEncoder()
                                .encodeToString(
                                        text.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
            }
        }
    }

    /** In one line and not without end. */
    String apply(@Nullable String said) {
        String text = said == null ? "" : said;
        for (String secret : secrets) {
            text = text.replace(secret, "<redacted>");
        }
        text = text.strip().replaceAll("\\p{Cntrl}+", " ");
        return text.length() > LONGEST ? text.substring(0, LONGEST) + "..." : text;
    }

    /** What went wrong, in the words of its innermost cause where those say more. */
    String of(Throwable e) {
        String first = words(e);
        Throwable last = e;
        while (last.getCause() != null) {
            last = last.getCause();
        }
        String inner = words(last);
        return apply(first.contains(inner) ? first : first + ": " + inner);
    }

    private static String words(Throwable e) {
        String message = e.getMessage();
        return message == null || message.isBlank() ? e.getClass().getSimpleName() : message;
    }
}
