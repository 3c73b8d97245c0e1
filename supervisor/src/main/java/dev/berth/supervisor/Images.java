package dev.berth.supervisor;

import dev.berth.model.ContainerSpec;
import dev.berth.model.Digests;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Names of images, and the build context of an inline Dockerfile. */
final class Images {
    private static final int BLOCK = 512;

    private Images() {}

    /**
     * The name under which the engine has the image of a spec: {@code name@digest} when pinned,
     * where name is the copy in the environment's registry if there is one, the reference with its
     * tag otherwise; for a Dockerfile a tag made of the digest of its text, so that a changed text
     * is a changed image.
     */
    static String nameOf(ContainerSpec spec) {
        String dockerfile = spec.image().dockerfile();
        if (dockerfile != null) {
            return "berth-built:" + Digests.sha256(dockerfile).substring(0, 24);
        }
        String image = spec.image().reference();
        if (image == null || image.isBlank()) {
            throw new ProblemException(
                    List.of(
                            Problem.at(
                                    "container " + spec.name(),
                                    "it has neither an image nor a dockerfile",
                                    "give it one of them")));
        }
        String digest = spec.image().digest();
        if (digest != null) {
            String source = spec.image().source();
            return (source == null ? repository(image) : source) + "@" + digest;
        }
        return image.contains("@") || hasTag(image) ? image : image + ":latest";
    }

    /** The reference without tag and digest. */
    static String repository(String reference) {
        int at = reference.indexOf('@');
        String plain = at < 0 ? reference : reference.substring(0, at);
        return hasTag(plain) ? plain.substring(0, plain.lastIndexOf(':')) : plain;
    }

    private static boolean hasTag(String reference) {
        return reference.lastIndexOf(':') > reference.lastIndexOf('/');
    }

    /**
     * Images that a Dockerfile stands on. Those are pulled before the build, since a build knows
     * nothing of registry credentials. References with variables are left to the build.
     */
    static List<String> basesOf(String dockerfile) {
        var bases = new ArrayList<String>();
        Set<String> stages = new HashSet<>();
        for (String line : dockerfile.lines().map(String::strip).toList()) {
            List<String> words = new ArrayList<>(List.of(line.split("\\s+")));
            if (words.size() < 2 || !words.getFirst().equalsIgnoreCase("FROM")) {
                continue;
            }
            words.removeIf(word -> word.startsWith("--"));
            String base = words.get(1);
            if (!base.equals("scratch") && !base.contains("$") && !stages.contains(base)) {
                bases.add(base.contains("@") || hasTag(base) ? base : base + ":latest");
            }
            if (words.size() == 4 && words.get(2).equalsIgnoreCase("AS")) {
                stages.add(words.get(3).toLowerCase(Locale.ROOT));
            }
        }
        return bases;
    }

    /** A tar that holds one file, {@code Dockerfile}. */
    static InputStream context(String dockerfile) {
        byte[] text = dockerfile.getBytes(StandardCharsets.UTF_8);
        int padded = (text.length + BLOCK - 1) / BLOCK * BLOCK;
        byte[] tar = new byte[BLOCK + padded + 2 * BLOCK];
        put(tar, 0, "Dockerfile");
        put(tar, 100, "0000644\0");
        put(tar, 108, "0000000\0");
        put(tar, 116, "0000000\0");
        put(tar, 124, String.format(Locale.ROOT, "%011o\0", text.length));
        put(tar, 136, "00000000000\0");
        put(tar, 148, "        ");
        put(tar, 156, "0");
        put(tar, 257, "ustar\00000");
        int sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            sum += tar[i] & 0xff;
        }
        put(tar, 148, String.format(Locale.ROOT, "%06o\0 ", sum));
        System.arraycopy(text, 0, tar, BLOCK, text.length);
        return new ByteArrayInputStream(tar);
    }

    private static void put(byte[] tar, int offset, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, tar, offset, bytes.length);
    }
}
