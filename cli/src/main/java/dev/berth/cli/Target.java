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
 *
 * @param caFile where the CA was read from; null: it was given in words
 */
record Target(
        String url, String user, String password, @Nullable String caPem, @Nullable Path caFile) {
    Target(String url, String user, String password, @Nullable String caPem) {
        this(url, user, password, caPem, null);
    }

    /**
     * The same with the CA as its file says now; null: nothing else than before, or there is no
     * file. The CA may be changed while a command runs.
     */
    @Nullable Target anew() {
        try {
            if (caFile == null || !Files.exists(caFile)) {
                return null;
            }
            String now = Files.readString(caFile);
            return now.equals(caPem) ? null : new Target(url, user, password, now, caFile);
        } catch (IOException e) {
            return null;
        }
    }

    static Target of(Map<String, String> env, Home home) {
        String url = env.get("BOSH_ENVIRONMENT");
        try {
            if (url != null && !url.isBlank()) {
                String ca = env.get("BOSH_CA_CERT");
                Path file = ca == null || ca.contains("BEGIN CERTIFICATE") ? null : Path.of(ca);
                return new Target(
                        full(url),
                        env.getOrDefault("BOSH_CLIENT", ""),
                        env.getOrDefault("BOSH_CLIENT_SECRET", ""),
                        file == null ? ca : Files.readString(file),
                        file);
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
                    Files.exists(home.caFile()) ? Files.readString(home.caFile()) : null,
                    home.caFile());
        } catch (IOException e) {
            throw new CliException("cannot read " + home.caFile() + ": " + e.getMessage(), e);
        }
    }

    Target as(@Nullable String otherUser, @Nullable String otherPassword) {
        return new Target(
                url,
                otherUser == null ? user : otherUser,
                otherPassword == null ? password : otherPassword,
                caPem,
                caFile);
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
