package dev.berth.agent;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** BOSH's digest strings: bare SHA-1 hex, or {@code alg:hex} joined with semicolons. */
final class MultiDigest {
    private static final List<String> STRONGEST_FIRST = List.of("sha512", "sha256", "sha1");

    private MultiDigest() {}

    /** Checks the strongest digest given; throws when there is none or it differs. */
    static void verify(Path file, String digest) throws IOException {
        Map<String, String> wanted = parse(digest);
        for (String algorithm : STRONGEST_FIRST) {
            String expected = wanted.get(algorithm);
            if (expected != null) {
                String found = hex(file, algorithm);
                if (!found.equals(expected)) {
                    throw new ActionException(
                            "Expected stream to have digest '"
                                    + algorithm
                                    + ":"
                                    + expected
                                    + "' but was '"
                                    + found
                                    + "'");
                }
                return;
            }
        }
        throw new ActionException("expected to find at least one digest");
    }

    private static Map<String, String> parse(String digest) {
        var result = new LinkedHashMap<String, String>();
        for (String part : digest.split(";")) {
            String[] pair = part.strip().split(":", 2);
            String algorithm = pair.length == 2 ? pair[0].toLowerCase(Locale.ROOT) : "sha1";
            if (!part.isBlank()
                    && result.put(algorithm, pair[pair.length - 1].toLowerCase(Locale.ROOT))
                            != null) {
                throw new ActionException("the digest names " + algorithm + " twice");
            }
        }
        return result;
    }

    static String hex(Path file, String algorithm) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance(algorithm.replace("sha", "SHA-"));
            byte[] block = new byte[64 * 1024];
            for (int n = in.read(block); n >= 0; n = in.read(block)) {
                digest.update(block, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("the JDK lacks " + algorithm, e);
        }
    }
}
