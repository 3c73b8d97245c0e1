package dev.berth.director;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Seals values for the store with AES-256-GCM under a key that lies beside it, readable by the
 * director alone. The name a value belongs to is authenticated with it: a sealed text copied to
 * another name does not open. Thread-safe.
 */
public final class SecretBox {
    private static final String VERSION = "v1:";
    private static final int KEY_BYTES = 32;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;

    private final byte[] key;
    private final SecureRandom random = new SecureRandom();

    private SecretBox(byte[] key) {
        this.key = key;
    }

    /** Reads the key, or makes it on first use. */
    public static SecretBox open(Path file) throws IOException {
        if (!Files.exists(file)) {
            byte[] fresh = new byte[KEY_BYTES];
            new SecureRandom().nextBytes(fresh);
            create(file, fresh);
        }
        byte[] key = HexFormat.of().parseHex(Files.readString(file).strip());
        if (key.length != KEY_BYTES) {
            throw new IOException(file + " is not a key of " + KEY_BYTES + " bytes in hex");
        }
        return new SecretBox(key);
    }

    private static void create(Path file, byte[] key) throws IOException {
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        Files.createFile(
                fresh,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(
                fresh,
                HexFormat.of().formatHex(key),
                StandardOpenOption.WRITE,
                StandardOpenOption.SYNC);
        if (Files.exists(file)) {
            throw new FileAlreadyExistsException(file.toString());
        }
        Files.move(fresh, file); // whole or not at all: half a key would lose every secret
    }

    String seal(String name, String value) {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        try {
            byte[] sealed =
                    cipher(Cipher.ENCRYPT_MODE, nonce, name)
                            .doFinal(value.getBytes(StandardCharsets.UTF_8));
            byte[] all =
                    ByteBuffer.allocate(nonce.length + sealed.length)
                            .put(nonce)
                            .put(sealed)
                            .array();
            return VERSION + Base64.getEncoder().encodeToString(all);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot seal " + name, e);
        }
    }

    /** Throws {@link IllegalStateException} when the text was not sealed for that name here. */
    String unseal(String name, String sealed) {
        try {
            if (!sealed.startsWith(VERSION)) {
                throw new GeneralSecurityException("unknown version");
            }
            byte[] all = Base64.getDecoder().decode(sealed.substring(VERSION.length()));
            byte[] nonce = java.util.Arrays.copyOf(all, NONCE_BYTES);
            byte[] value =
                    cipher(Cipher.DECRYPT_MODE, nonce, name)
                            .doFinal(all, NONCE_BYTES, all.length - NONCE_BYTES);
            return new String(value, StandardCharsets.UTF_8);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IllegalStateException(
                    "the stored value of " + name + " was not sealed with this director's key", e);
        }
    }

    /** A signature that only this director can make. */
    byte[] sign(String purpose, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            byte[] derived = mac.doFinal(purpose.getBytes(StandardCharsets.UTF_8));
            mac.init(new SecretKeySpec(derived, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK lacks HmacSHA256", e);
        }
    }

    private Cipher cipher(int mode, byte[] nonce, String name) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(name.getBytes(StandardCharsets.UTF_8));
        return cipher;
    }
}
