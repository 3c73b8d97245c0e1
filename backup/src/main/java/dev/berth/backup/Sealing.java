package dev.berth.backup;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/**
 * One sealed stream. First {@code BERTHBK} and the version, one byte; then the salt, 32 bytes; then
 * chunks of {@value #CHUNK} bytes and their tags of 16, the last one shorter or as long, each
 * sealed with AES-256-GCM under the stream's own key. A chunk's nonce is its number (11 bytes,
 * big-endian) and whether it is the last (1 byte), and the head is authenticated with each: no
 * chunk can be changed, moved, left out, or come from another stream, and the end cannot be cut
 * off. (The construction is known as STREAM.)
 */
final class Sealing {
    static final int CHUNK = 1 << 20;
    static final int TAG = 16;
    private static final byte[] MAGIC = "BERTHBK\1".getBytes(StandardCharsets.ISO_8859_1);
    private static final int SALT = 32;
    static final int HEAD = 8 + SALT;

    private final SecretKey key;
    private final byte[] head;
    private final Cipher cipher;
    private long number;

    private Sealing(SecretKey key, byte[] head) {
        this.key = key;
        this.head = head;
        try {
            this.cipher = Cipher.getInstance("AES/GCM/NoPadding");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK lacks AES-GCM", e);
        }
    }

    /** A new stream. */
    static Sealing fresh(BackupKey key) {
        byte[] salt = new byte[SALT];
        new SecureRandom().nextBytes(salt);
        return new Sealing(
                key.derived(salt), ByteBuffer.allocate(HEAD).put(MAGIC).put(salt).array());
    }

    /** The stream that begins so. */
    static Sealing of(BackupKey key, byte[] head) throws BackupException {
        if (head.length != HEAD || !Arrays.equals(head, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new BackupException("this is no backup of Berth, or of a later version of it");
        }
        return new Sealing(key.derived(Arrays.copyOfRange(head, MAGIC.length, HEAD)), head);
    }

    byte[] head() {
        return head.clone();
    }

    byte[] seal(byte[] plain, int length, boolean last) {
        try {
            begin(Cipher.ENCRYPT_MODE, last);
            return cipher.doFinal(plain, 0, length);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot seal a chunk", e);
        }
    }

    byte[] open(byte[] sealed, int length, boolean last) throws BackupException {
        long which = number;
        try {
            begin(Cipher.DECRYPT_MODE, last);
            return cipher.doFinal(sealed, 0, length);
        } catch (AEADBadTagException e) {
            throw new BackupException(
                    which == 0
                            ? "the backup was sealed with another key, or its beginning is damaged"
                            : "the backup is damaged or cut short: byte "
                                    + (HEAD + which * (CHUNK + TAG))
                                    + " and the "
                                    + length
                                    + " bytes from there are not what was written",
                    e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot open a chunk", e);
        }
    }

    private void begin(int mode, boolean last) throws GeneralSecurityException {
        byte[] nonce = new byte[12];
        ByteBuffer.wrap(nonce).putLong(3, number++);
        nonce[11] = (byte) (last ? 1 : 0);
        cipher.init(mode, key, new GCMParameterSpec(TAG * 8, nonce));
        cipher.updateAAD(head);
    }
}
