package dev.berth.agent;

import static dev.berth.agent.Pem.concat;
import static dev.berth.agent.Pem.sequence;

import dev.berth.wire.AgentSettings;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;

/**
 * Certificates for one rehearsal on the loopback, made when it is needed: the JDK reads
 * certificates but makes none, and no key belongs in a jar.
 */
final class TrainingCertificate {
    private static final byte[] ECDSA_SHA256 = {
        0x30, 0x0a, 0x06, 0x08, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x04, 0x03, 0x02
    };

    /** Basic constraints, critical: it may sign others. */
    private static final byte[] IS_AUTHORITY = {
        0x30, 0x0f, 6, 3, 0x55, 0x1d, 0x13, 1, 1, -1, 4, 5, 0x30, 3, 1, 1, -1
    };

    private static final DateTimeFormatter UTC =
            DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

    private TrainingCertificate() {}

    /** A leaf for the loopback and the authority that signed it. */
    static AgentSettings.Certificate make() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair authority = generator.generateKeyPair();
        KeyPair leaf = generator.generateKeyPair();
        byte[] issuer = name("training CA");
        byte[] subject = name("training.nats.bosh-internal");
        return new AgentSettings.Certificate(
                certificate(issuer, authority, issuer, authority, IS_AUTHORITY),
                certificate(subject, leaf, issuer, authority, alternativeName()),
                pem("PRIVATE KEY", leaf.getPrivate().getEncoded()));
    }

    private static String certificate(
            byte[] subject, KeyPair keys, byte[] issuer, KeyPair signer, byte[] extension)
            throws GeneralSecurityException {
        byte[] content =
                sequence(
                        0x30,
                        concat(
                                sequence(0xa0, new byte[] {2, 1, 2}), // version 3
                                new byte[] {2, 1, 1}, // serial number 1
                                ECDSA_SHA256,
                                issuer,
                                validity(),
                                subject,
                                keys.getPublic().getEncoded(),
                                sequence(0xa3, sequence(0x30, extension))));
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(signer.getPrivate());
        signature.update(content);
        byte[] signed = sequence(0x03, concat(new byte[] {0}, signature.sign()));
        return pem("CERTIFICATE", sequence(0x30, concat(content, ECDSA_SHA256, signed)));
    }

    private static byte[] name(String commonName) {
        byte[] attribute =
                sequence(
                        0x30,
                        concat(
                                new byte[] {6, 3, 0x55, 4, 3},
                                sequence(0x0c, commonName.getBytes(StandardCharsets.UTF_8))));
        return sequence(0x30, sequence(0x31, attribute));
    }

    private static byte[] validity() {
        Instant now = Instant.now();
        return sequence(
                0x30, concat(time(now.minusSeconds(86_400)), time(now.plusSeconds(86_400))));
    }

    private static byte[] time(Instant at) {
        return sequence(0x17, UTC.format(at).getBytes(StandardCharsets.US_ASCII));
    }

    /** IP address 127.0.0.1. */
    private static byte[] alternativeName() {
        byte[] names = sequence(0x30, new byte[] {(byte) 0x87, 4, 127, 0, 0, 1});
        return sequence(0x30, concat(new byte[] {6, 3, 0x55, 0x1d, 0x11}, sequence(0x04, names)));
    }

    private static String pem(String type, byte[] der) {
        return "-----BEGIN "
                + type
                + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END "
                + type
                + "-----\n";
    }
}
