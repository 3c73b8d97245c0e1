package dev.berth.cli;

import dev.berth.model.EnvironmentFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The director to talk to: the stock CLI's variables when they are set, else the environment of
 * this machine.
 */
record Target(String url, String user, String password, @Nullable String caPem) {
    static Target of(Map<String, String> env, Home home) {
        String url = env.get("BOSH_ENVIRONMENT");
        try {
            if (url != null && !url.isBlank()) {
                String ca = env.get("BOSH_CA_CERT");
                return new Target(
                        full(url),
                        env.getOrDefault("BOSH_CLIENT", ""),
                        env.getOrDefault("BOSH_CLIENT_SECRET", ""),
                        ca == null || ca.contains("BEGIN CERTIFICATE")
                                ? ca
                                : Files.readString(Path.of(ca)));
            }
            return of(home.environment(), home);
        } catch (IOException e) {
            throw new CliException("cannot read the environment: " + e.getMessage(), e);
        }
    }

    /** The director of this machine; before its first start there is no CA to trust. */
    static Target of(EnvironmentFile file, Home home) {
        try {
            return new Target(
                    file.url(),
                    file.user(),
                    file.password().reveal(),
                    Files.exists(home.caFile()) ? Files.readString(home.caFile()) : null);
        } catch (IOException e) {
            throw new CliException("cannot read " + home.caFile() + ": " + e.getMessage(), e);
        }
    }

    Target as(@Nullable String otherUser, @Nullable String otherPassword) {
        return new Target(
                url,
                otherUser == null ? user : otherUser,
                otherPassword == null ? password : otherPassword,
                caPem);
    }

    /**
     * A bare host, {@code host:port} or URL becomes {@code https://host:port}, as the stock CLI
     * does.
     */
    static String full(String given) {
        String bare = given.replaceFirst("^https?://", "").replaceFirst("/.*$", "");
        return "https://" + (bare.matches(".*:\\d+$") ? bare : bare + ":25555");
    }

    @Override
    public String toString() {
        return "Target[" + url + "]";
    }
}
