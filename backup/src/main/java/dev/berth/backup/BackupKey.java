package dev.berth.backup;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.HexFormat;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The key backups are sealed with: 32 random bytes in a file of the operator's, who keeps a copy
 * elsewhere. Each backup has a key of its own, derived with the backup's salt (HKDF-SHA256), so
 * that no two ever use one key with the same nonces. Its text form shows nothing.
 */
public final class BackupKey {
    static final int BYTES = 32;
    private static final byte[] INFO = "berth backup 1".getBytes(StandardCharsets.UTF_8);

    private final byte[] secret;

    private BackupKey(byte[] secret) {
        this.secret = secret;
    }

    /** Reads the key, or makes it on first use, readable by its owner alone. */
    public static BackupKey open(Path file) throws IOException {
        if (!Files.exists(file)) {
            create(file);
        }
        return of(Files.readString(file).strip(), file.toString());
    }

    /**
     * @param hex as it stands in the file
     * @param where it was found, for the error
     */
    public static BackupKey of(String hex, String where) throws BackupException {
        byte[] secret;
        try {
            secret = HexFormat.of().parseHex(hex);
        } catch (IllegalArgumentException e) {
            secret = new byte[0]; // what was read is not repeated
        }
        if (secret.length != BYTES) {
            throw new BackupException(where + " is no backup key: it holds 64 hex digits");
        }
        return new BackupKey(secret);
    }

    private static void create(Path file) throws IOException {
        byte[] fresh = new byte[BYTES];
        new SecureRandom().nextBytes(fresh);
        Path next = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(next);
        Files.createFile(
                next,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(
                next,
                HexFormat.of().formatHex(fresh) + "\n",
                StandardOpenOption.WRITE,
                StandardOpenOption.SYNC);
        if (Files.exists(file)) {
            throw new FileAlreadyExistsException(file.toString());
        }
        Files.move(next, file);
    }

    /** The key of the one backup that has this salt. */
    SecretKey derived(byte[] salt) {
        try {
            byte[] key =
                    KDF.getInstance("HKDF-SHA256")
                            .deriveData(
                                    HKDFParameterSpec.ofExtract()
                                            .addIKM(secret)
                                            .addSalt(salt)
                                            .thenExpand(INFO, BYTES));
            return new SecretKeySpec(key, "AES");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK lacks HKDF-SHA256", e);
        }
    }

    @Override
    public String toString() {
        return "BackupKey[...]";
    }
}
