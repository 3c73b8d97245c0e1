package dev.berth.bus;

import dev.berth.bus.CertificateMaker.Pair;
import dev.berth.bus.CertificateMaker.Request;
import dev.berth.model.Clock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The CA of an environment and, while it is being changed, the next one, in files:
 *
 * <table>
 * <caption>Files</caption>
 * <tr><td>{@code ca.crt}</td><td>all that is trusted: the CA and, during a change, the next one after
 * it</td></tr>
 * <tr><td>{@code ca.key}</td><td>the CA's key</td></tr>
 * <tr><td>{@code ca-next.crt}, {@code ca-next.key}</td><td>the next CA</td></tr>
 * <tr><td>{@code rotation}</td><td>{@code both}: both are trusted; {@code last}: the next is taking the
 * CA's place, and nothing is signed meanwhile</td></tr>
 * </table>
 *
 * <p>Each step can be cut off anywhere and is gone on with by {@link #load}. Immutable.
 *
 * @param current signs servers and the director's own clients
 * @param next signs agents as soon as there is one
 * @param trusted certificates in PEM, one after another
 */
record Authorities(Pair current, @Nullable Pair next, String trusted) {
    private static final String BOTH = "both";
    private static final String LAST = "last";

    /** Reads what there is, ends what was cut off, and makes a CA where there is none. */
    static Authorities load(Path folder, Clock clock, Duration lifetime) {
        String step = readIfThere(folder.resolve("rotation")).strip();
        if (step.equals(LAST)) {
            takePlace(folder);
            step = "";
        }
        Pair current = current(folder, clock, lifetime);
        if (!step.equals(BOTH)) {
            return new Authorities(current, null, current.certificate());
        }
        Pair next =
                new Pair(read(folder.resolve("ca-next.crt")), read(folder.resolve("ca-next.key")));
        String both = current.certificate() + next.certificate();
        if (!both.equals(readIfThere(folder.resolve("ca.crt")))) {
            PrivateFiles.rewrite(folder.resolve("ca.crt"), both);
        }
        return new Authorities(current, next, both);
    }

    private static Pair current(Path folder, Clock clock, Duration lifetime) {
        Path certificate = folder.resolve("ca.crt");
        Path key = folder.resolve("ca.key");
        if (!Files.exists(certificate)) {
            Pair made = make(clock, lifetime);
            // Key first: a certificate without a key would look whole after a crash in between.
            PrivateFiles.write(key, made.privateKey());
            PrivateFiles.write(certificate, made.certificate());
            return made;
        }
        if (!Files.exists(key)) {
            throw new IllegalStateException(
                    "the CA's key "
                            + key
                            + " is missing; restore it, or remove "
                            + folder
                            + " to begin a new environment");
        }
        X509Certificate first = CertificateMaker.parse(read(certificate));
        return new Pair(CertificateMaker.pem(first), read(key));
    }

    private static Pair make(Clock clock, Duration lifetime) {
        return CertificateMaker.selfSigned(Request.ca("Berth CA", lifetime), clock.now());
    }

    /** Makes the next CA; from here on both are trusted. With one under way: that one. */
    Authorities begun(Path folder, Clock clock, Duration lifetime) {
        if (next != null) {
            return this;
        }
        Pair made = make(clock, lifetime);
        PrivateFiles.write(folder.resolve("ca-next.key"), made.privateKey());
        PrivateFiles.write(folder.resolve("ca-next.crt"), made.certificate());
        PrivateFiles.write(folder.resolve("rotation"), BOTH);
        return load(folder, clock, lifetime);
    }

    /** The next CA is the only one, and the former one's key is gone. Without one: no change. */
    Authorities ended(Path folder, Clock clock, Duration lifetime) {
        if (next == null) {
            return this;
        }
        PrivateFiles.write(folder.resolve("rotation"), LAST);
        return load(folder, clock, lifetime);
    }

    /** What is copied is removed only when both copies are there. */
    private static void takePlace(Path folder) {
        Path certificate = folder.resolve("ca-next.crt");
        Path key = folder.resolve("ca-next.key");
        if (Files.exists(certificate) && Files.exists(key)) {
            PrivateFiles.write(folder.resolve("ca.key"), read(key));
            PrivateFiles.rewrite(folder.resolve("ca.crt"), read(certificate));
        }
        try {
            Files.deleteIfExists(key);
            Files.deleteIfExists(certificate);
            Files.deleteIfExists(folder.resolve("rotation"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot end the change of the CA in " + folder, e);
        }
    }

    /** Signs agents. */
    Pair newest() {
        return next == null ? current : next;
    }

    List<X509Certificate> certificates() {
        return CertificateMaker.chain(trusted);
    }

    private static String readIfThere(Path file) {
        return Files.exists(file) ? read(file) : "";
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return "Authorities[" + (next == null ? "one" : "two") + "]";
    }
}
