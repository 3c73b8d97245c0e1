package dev.berth.agent;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Certificates and private keys from PEM text with the JDK alone: PKCS#8, and the older forms that
 * other directors send (PKCS#1 for RSA, SEC1 for EC), which are PKCS#8 without its wrapping.
 */
final class Pem {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");
    private static final byte[] RSA = {
        0x30,
        0x0d,
        0x06,
        0x09,
        0x2a,
        (byte) 0x86,
        0x48,
        (byte) 0x86,
        (byte) 0xf7,
        0x0d,
        0x01,
        0x01,
        0x01,
        0x05,
        0x00
    };
    private static final byte[] EC_OID = {
        0x06, 0x07, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x02, 0x01
    };

    private Pem() {}

    /** All certificates of a text, in order; at least one. */
    static List<X509Certificate> certificates(String pem) throws GeneralSecurityException {
        var result = new ArrayList<X509Certificate>();
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        Matcher block = BLOCK.matcher(pem);
        while (block.find()) {
            if (block.group(1).equals("CERTIFICATE")) {
                result.add(
                        (X509Certificate)
                                factory.generateCertificate(
                                        new ByteArrayInputStream(decode(block.group(2)))));
            }
        }
        if (result.isEmpty()) {
            throw new GeneralSecurityException("no certificate in the PEM text");
        }
        return result;
    }

    static PrivateKey privateKey(String pem) throws GeneralSecurityException {
        Matcher block = BLOCK.matcher(pem);
        while (block.find()) {
            byte[] der = decode(block.group(2));
            switch (block.group(1)) {
                case "PRIVATE KEY":
                    return pkcs8(der);
                case "RSA PRIVATE KEY":
                    return key("RSA", wrap(RSA, der));
                case "EC PRIVATE KEY":
                    return key("EC", wrap(sequence(0x30, concat(EC_OID, curve(der))), der));
                default: // parameters, certificates
            }
        }
        throw new GeneralSecurityException("no private key in the PEM text");
    }

    private static PrivateKey pkcs8(byte[] der) throws GeneralSecurityException {
        for (String algorithm : List.of("EC", "RSA", "EdDSA")) {
            try {
                return key(algorithm, der);
            } catch (GeneralSecurityException e) {
                // The encoding names its algorithm but the JDK wants to be told: try the next.
            }
        }
        throw new GeneralSecurityException("the private key is of an unknown kind");
    }

    private static PrivateKey key(String algorithm, byte[] der) throws GeneralSecurityException {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
    }

    private static byte[] wrap(byte[] algorithm, byte[] key) {
        return sequence(0x30, concat(concat(new byte[] {2, 1, 0}, algorithm), sequence(0x04, key)));
    }

    /** The curve of a SEC1 key: the object identifier in its context tag 0. */
    private static byte[] curve(byte[] sec1) throws GeneralSecurityException {
        for (int i = 0; i + 3 < sec1.length; i++) {
            int length = sec1[i + 3] & 0xff;
            if ((sec1[i] & 0xff) == 0xa0
                    && sec1[i + 2] == 0x06
                    && (sec1[i + 1] & 0xff) == length + 2
                    && i + 4 + length <= sec1.length) {
                return java.util.Arrays.copyOfRange(sec1, i + 2, i + 4 + length);
            }
        }
        throw new GeneralSecurityException("the EC private key does not name its curve");
    }

    static byte[] sequence(int tag, byte[] content) {
        var out = new ByteArrayOutputStream();
        out.write(tag);
        if (content.length < 128) {
            out.write(content.length);
        } else {
            byte[] size =
                    new java.math.BigInteger(
                                    1,
                                    java.nio.ByteBuffer.allocate(4).putInt(content.length).array())
                            .toByteArray();
            int skip = size[0] == 0 ? 1 : 0;
            out.write(0x80 | (size.length - skip));
            out.write(size, skip, size.length - skip);
        }
        out.writeBytes(content);
        return out.toByteArray();
    }

    static byte[] concat(byte[]... parts) {
        var out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    private static byte[] decode(String base64) throws GeneralSecurityException {
        try {
            return Base64.getMimeDecoder().decode(base64.getBytes(StandardCharsets.US_ASCII));
        } catch (IllegalArgumentException e) {
            throw new GeneralSecurityException("the PEM text is not base64", e);
        }
    }
}
