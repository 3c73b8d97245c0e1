package dev.berth.bus;

import dev.berth.model.Secret;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.interfaces.RSAPublicKey;
import java.util.Base64;
import java.util.HexFormat;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;

/** Makes passwords and keys: variables of the types {@code password}, {@code rsa}, {@code ssh}. */
public final class SecretMaker {
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static final SecureRandom RANDOM = new SecureRandom();

    private SecretMaker() {}

    /** A private key (PKCS#1 PEM) and its public key. */
    public record RsaKey(Secret privateKey, String publicKey) {}

    /**
     * A key for SSH.
     *
     * @param publicKey {@code ssh-rsa AAAA...}, without a comment
     * @param fingerprint MD5 in colon form, as the BOSH CLI makes it
     */
    public record SshKey(Secret privateKey, String publicKey, String fingerprint) {}

    /** Letters and digits, five bits and more of chance in each. */
    public static Secret password(int length) {
        if (length < 1 || length > 1_000) {
            throw new IllegalArgumentException("length should be 1 to 1000, not " + length);
        }
        var text = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            text.append(LETTERS.charAt(RANDOM.nextInt(LETTERS.length())));
        }
        return new Secret(text.toString());
    }

    public static RsaKey rsa(int bits) {
        KeyPair keys = keys(bits);
        return new RsaKey(
                pkcs1(keys), CertificateMaker.pem("PUBLIC KEY", keys.getPublic().getEncoded()));
    }

    public static SshKey ssh(int bits) {
        KeyPair keys = keys(bits);
        byte[] blob = sshBlob((RSAPublicKey) keys.getPublic());
        return new SshKey(
                pkcs1(keys),
                "ssh-rsa " + Base64.getEncoder().encodeToString(blob),
                HexFormat.ofDelimiter(":").formatHex(md5(blob)));
    }

    private static KeyPair keys(int bits) {
        if (bits < 2048 || bits > 8192) {
            throw new IllegalArgumentException("key_length should be 2048 to 8192, not " + bits);
        }
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(bits);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK cannot make RSA keys", e);
        }
    }

    private static Secret pkcs1(KeyPair keys) {
        try {
            PrivateKeyInfo info = PrivateKeyInfo.getInstance(keys.getPrivate().getEncoded());
            byte[] inner = info.parsePrivateKey().toASN1Primitive().getEncoded();
            return new Secret(CertificateMaker.pem("RSA PRIVATE KEY", inner));
        } catch (java.io.IOException e) {
            throw new IllegalStateException("an RSA key has no PKCS#1 form", e);
        }
    }

    private static byte[] sshBlob(RSAPublicKey key) {
        byte[] type = "ssh-rsa".getBytes(StandardCharsets.US_ASCII);
        byte[] exponent = key.getPublicExponent().toByteArray();
        byte[] modulus = key.getModulus().toByteArray();
        return ByteBuffer.allocate(12 + type.length + exponent.length + modulus.length)
                .putInt(type.length)
                .put(type)
                .putInt(exponent.length)
                .put(exponent)
                .putInt(modulus.length)
                .put(modulus)
                .array();
    }

    private static byte[] md5(byte[] bytes) {
        try {
            return MessageDigest.getInstance("MD5").digest(bytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK lacks MD5", e);
        }
    }
}
