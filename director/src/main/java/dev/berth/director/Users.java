package dev.berth.director;

import dev.berth.model.Secret;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The director's own users, known by HTTP Basic credentials. Thread-safe. */
public final class Users {
    private final List<User> users;

    public Users(List<User> users) {
        this.users = List.copyOf(users);
    }

    /** A user; a reader may look at everything but secrets and change nothing. */
    public record User(String name, Secret password, boolean admin) {
        public User {
            if (name.isEmpty() || password.reveal().isEmpty()) {
                throw new IllegalArgumentException("a user needs a name and a password");
            }
        }

        boolean may(Access access) {
            return access != Access.ADMIN || admin;
        }
    }

    /** Who the header speaks for; empty when it is absent, malformed or wrong. */
    Optional<User> authenticate(@Nullable String authorization) {
        if (authorization == null || !authorization.regionMatches(true, 0, "Basic ", 0, 6)) {
            return Optional.empty();
        }
        String pair;
        try {
            byte[] decoded = Base64.getDecoder().decode(authorization.substring(6).strip());
            pair = new String(decoded, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        int colon = pair.indexOf(':');
        if (colon <= 0) {
            return Optional.empty();
        }
        String name = pair.substring(0, colon);
        byte[] given = digest(pair.substring(colon + 1));
        User found = null;
        for (User user : users) { // all of them, so that the time taken tells nothing
            boolean right = MessageDigest.isEqual(given, digest(user.password().reveal()));
            if (user.name().equals(name) && right) {
                found = user;
            }
        }
        return Optional.ofNullable(found);
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("the JDK lacks SHA-256", e);
        }
    }
}
