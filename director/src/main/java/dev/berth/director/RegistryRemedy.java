package dev.berth.director;

import dev.berth.model.RegistryLogin;
import java.util.Locale;
import java.util.stream.Stream;

/** What to do about the words of an outside registry, or of those who asked it. */
final class RegistryRemedy {
    private RegistryRemedy() {}

    static String of(RegistryLogin login, String words) {
        String said = words.toLowerCase(Locale.ROOT);
        String host = login.host();
        if (holds(said, "unauthorized", "authentication required", "denied", "forbidden")
                || holds(said, "invalid username", "invalid_token", "401", "403")) {
            return login.hasCredentials()
                    ? "check username and password of "
                            + host
                            + " under 'registries', their right to this image, and its name"
                    : "check the name; if the image is private, give its registry under"
                            + " 'registries': [{host: "
                            + host
                            + ", username: ((NAME)), password: ((NAME))}]";
        }
        if (holds(said, "x509", "certificate")) {
            return "give the registry's CA: registries: [{host: " + host + ", ca: ((NAME))}]";
        }
        if (holds(said, "http response to https client")) {
            return "for a registry without TLS: registries: [{host: " + host + ", insecure: true}]";
        }
        if (holds(said, "unknown", "not found", "404")) {
            return "check the image's name and tag";
        }
        if (holds(said, "no such host", "connection refused", "timeout", "unreachable", "reset")
                || holds(said, "did not come to an end", "i/o", "eof", "no route")) {
            return "the director's host must reach "
                    + host
                    + "; once it does, deploy again: nothing was changed";
        }
        if (holds(said, "no space left")) {
            return "free space where the environment's registry keeps its images";
        }
        if (holds(said, "apt-get")) {
            return "install it, and deploy again";
        }
        return "deploy again; berth task --debug tells more";
    }

    private static boolean holds(String text, String... words) {
        return Stream.of(words).anyMatch(text::contains);
    }
}
