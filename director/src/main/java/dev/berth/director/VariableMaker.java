package dev.berth.director;

import dev.berth.bus.CertificateMaker;
import dev.berth.bus.CertificateMaker.Key;
import dev.berth.bus.CertificateMaker.Pair;
import dev.berth.bus.CertificateMaker.Request;
import dev.berth.bus.CertificateMaker.Use;
import dev.berth.bus.SecretMaker;
import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes one value of a variable from its type and options; wrong ones are told in words. */
final class VariableMaker {
    private static final int PASSWORD_LENGTH = 30;
    private static final int KEY_LENGTH = 2048;
    private static final int DAYS = 365;

    private final Clock clock;

    VariableMaker(Clock clock) {
        this.clock = clock;
    }

    /**
     * @param signer value of the CA variable named in the options; null without
     * @throws IllegalArgumentException wrong options, or a type that cannot be generated
     */
    Object make(String type, Map<String, Object> options, @Nullable Map<String, Object> signer) {
        Fields f = new Fields(options, "options");
        return switch (type) {
            case "password" ->
                    SecretMaker.password((int) f.integer("length", PASSWORD_LENGTH)).reveal();
            case "rsa" -> rsa((int) f.integer("key_length", KEY_LENGTH));
            case "ssh" -> ssh((int) f.integer("key_length", KEY_LENGTH));
            case "certificate" -> certificate(f, signer);
            default ->
                    throw new IllegalArgumentException(
                            "values of type '"
                                    + type
                                    + "' cannot be generated; known are password, certificate,"
                                    + " rsa and ssh");
        };
    }

    private static Map<String, Object> rsa(int bits) {
        SecretMaker.RsaKey key = SecretMaker.rsa(bits);
        return Json.of("private_key", key.privateKey().reveal(), "public_key", key.publicKey());
    }

    private static Map<String, Object> ssh(int bits) {
        SecretMaker.SshKey key = SecretMaker.ssh(bits);
        return Json.of(
                "private_key",
                key.privateKey().reveal(),
                "public_key",
                key.publicKey(),
                "public_key_fingerprint",
                key.fingerprint());
    }

    private Map<String, Object> certificate(Fields f, @Nullable Map<String, Object> signer) {
        Request request = request(f);
        if (signer != null) {
            Fields ca = new Fields(signer, "its CA");
            var pair = new Pair(ca.string("certificate"), ca.string("private_key"));
            return value(CertificateMaker.signedBy(pair, request, clock.now()), pair.certificate());
        }
        if (!request.isCa() && !f.flag("self_sign", false)) {
            throw new IllegalArgumentException(
                    "Missing required CA name: give 'ca', or set 'is_ca' or 'self_sign'");
        }
        Pair made = CertificateMaker.selfSigned(request, clock.now());
        return value(made, made.certificate());
    }

    private static Map<String, Object> value(Pair pair, String ca) {
        return Json.of(
                "ca", ca, "certificate", pair.certificate(), "private_key", pair.privateKey());
    }

    private static Request request(Fields f) {
        boolean isCa = f.flag("is_ca", false);
        long days = f.integer("duration", DAYS);
        if (days < 1 || days > 36_500) {
            throw new IllegalArgumentException("duration should be 1 to 36500 days, not " + days);
        }
        List<String> organizations =
                f.has("organizations")
                        ? f.strings("organizations")
                        : List.of(f.string("organization", "Cloud Foundry"));
        return new Request(
                f.string("common_name"),
                null,
                organizations,
                f.strings("alternative_names"),
                isCa,
                uses(f.strings("extended_key_usage"), isCa),
                Duration.ofDays(days),
                Key.rsa((int) f.integer("key_length", KEY_LENGTH)));
    }

    private static Set<Use> uses(List<String> names, boolean isCa) {
        if (names.isEmpty()) {
            return isCa ? Set.of() : Set.of(Use.SERVER);
        }
        var uses = EnumSet.noneOf(Use.class);
        for (String name : names) {
            uses.add(
                    switch (name) {
                        case "server_auth" -> Use.SERVER;
                        case "client_auth" -> Use.CLIENT;
                        default ->
                                throw new IllegalArgumentException(
                                        "extended_key_usage knows server_auth and client_auth, not '"
                                                + name
                                                + "'");
                    });
        }
        return uses;
    }
}
