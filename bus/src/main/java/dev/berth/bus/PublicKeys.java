package dev.berth.bus;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

/** Reads public keys that come from agents: bounded, and none that is weak. */
final class PublicKeys {
    /** An RSA key of 8192 bits takes 1,400 characters. */
    private static final int LONGEST = 4_096;

    private PublicKeys() {}

    /** Throws {@link IllegalArgumentException} for what is none, or too weak. */
    static PublicKey read(String base64) {
        var spec = new X509EncodedKeySpec(base64(base64));
        for (String kind : new String[] {"EC", "RSA"}) {
            try {
                PublicKey key = KeyFactory.getInstance(kind).generatePublic(spec);
                if (!isStrong(key)) {
                    throw new IllegalArgumentException(
                            "the agent's key is too short; EC from 256 bits and RSA from 2048 are"
                                    + " taken");
                }
                return key;
            } catch (GeneralSecurityException e) {
                continue; // of the other kind, perhaps
            }
        }
        throw new IllegalArgumentException("the agent's key is neither EC nor RSA");
    }

    private static boolean isStrong(PublicKey key) {
        return switch (key) {
            case ECPublicKey ec -> ec.getParams().getOrder().bitLength() >= 256;
            case RSAPublicKey rsa -> rsa.getModulus().bitLength() >= 2048;
            default -> false;
        };
    }

    static byte[] base64(String text) {
        if (text.length() > LONGEST) {
            throw new IllegalArgumentException("more than " + LONGEST + " characters of a key");
        }
        return Base64.getMimeDecoder().decode(text);
    }
}
