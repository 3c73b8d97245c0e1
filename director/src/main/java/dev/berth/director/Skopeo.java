package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.model.RegistryLogin;
import dev.berth.model.Secret;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Runs {@code skopeo}. Credentials reach it in a file of mode 0600 in a private folder, in memory
 * where the host has such a place, which is gone when the run ends; never as arguments or
 * environment (rule R8). What a killed director left of such folders, the next one removes.
 * Thread-safe.
 */
final class Skopeo {
    private static final int MOST_OUTPUT = 4 * 1024 * 1024;
    private static final int BEAT_MILLIS = 250;
    private static final Pattern FATAL =
            Pattern.compile("level=fatal msg=\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final Path POLICY = Path.of("/etc/containers/policy.json");
    private static final Path MEMORY = Path.of("/dev/shm");

    private final Path place;
    private final String prefix;

    private Skopeo(Path place, String prefix) {
        this.place = place;
        this.prefix = prefix;
    }

    /**
     * @param folder private to the director: holds credentials where the host has no memory file
     *     system
     * @param environment its id: tells this environment's folders from another's
     */
    static Skopeo in(Path folder, String environment) throws IOException {
        boolean memory =
                Files.isWritable(MEMORY) && Files.getFileStore(MEMORY).type().equals("tmpfs");
        var skopeo = new Skopeo(memory ? MEMORY : folder, "berth-login-" + environment + "-");
        skopeo.sweep();
        return skopeo;
    }

    private void sweep() throws IOException {
        try (Stream<Path> all = Files.list(place)) {
            for (Path left : all.toList()) {
                if (left.getFileName().toString().startsWith(prefix)
                        && Files.isDirectory(left, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
                    remove(left);
                }
            }
        }
    }

    private static void remove(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            System.getLogger(Skopeo.class.getName())
                    .log(
                            System.Logger.Level.WARNING,
                            "cannot remove " + folder + "; remove it by hand: " + e.getMessage());
        }
    }

    /** One registry of a run; its flags have this prefix: {@code src-}, {@code dest-} or none. */
    record End(String flagPrefix, RegistryLogin login) {}

    /** Raw standard output. */
    byte[] inspect(End registry, List<String> arguments, Duration limit)
            throws IOException, InterruptedException {
        return run("inspect", List.of(registry), arguments, limit, words -> {});
    }

    void copy(List<End> registries, List<String> arguments, Duration limit, Consumer<String> beat)
            throws IOException, InterruptedException {
        byte[] ignored = run("copy", registries, arguments, limit, beat);
    }

    private byte[] run(
            String verb,
            List<End> registries,
            List<String> arguments,
            Duration limit,
            Consumer<String> beat)
            throws IOException, InterruptedException {
        Path folder =
                Files.createTempDirectory(
                        place,
                        prefix,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
        try {
            var command = new ArrayList<>(List.of("skopeo"));
            if (!Files.exists(POLICY)) {
                command.add("--insecure-policy"); // the host says nothing about signatures
            }
            command.add(verb);
            command.addAll(List.of("--authfile", logins(folder, registries)));
            for (End end : registries) {
                command.addAll(trust(folder, end));
            }
            command.addAll(arguments);
            return run(command, limit, beat);
        } finally {
            remove(folder);
        }
    }

    private static String logins(Path folder, List<End> registries) throws IOException {
        var auths = new LinkedHashMap<String, Object>();
        for (End end : registries) {
            Secret username = end.login().username();
            Secret password = end.login().password();
            if (username != null && password != null) {
                byte[] pair =
                        (username.reveal() + ":" + password.reveal())
                                .getBytes(StandardCharsets.UTF_8);
                auths.put(
                        end.login().host(),
                        Json.of("auth", Base64.getEncoder().encodeToString(pair)));
            }
        }
        Path file = folder.resolve("auth.json");
        Files.createFile(
                file,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, Json.write(Map.of("auths", auths)));
        return file.toString();
    }

    private static List<String> trust(Path folder, End end) throws IOException {
        Secret ca = end.login().ca();
        if (end.login().insecure()) {
            return List.of("--" + end.flagPrefix() + "tls-verify=false");
        }
        if (ca == null) {
            return List.of();
        }
        Path certificates = Files.createDirectory(folder.resolve(end.flagPrefix() + "ca"));
        Files.writeString(certificates.resolve("ca.crt"), ca.reveal());
        return List.of("--" + end.flagPrefix() + "cert-dir", certificates.toString());
    }

    private static byte[] run(List<String> command, Duration limit, Consumer<String> beat)
            throws IOException, InterruptedException {
        Process process;
        try {
            process =
                    new ProcessBuilder(command)
                            .redirectInput(Path.of("/dev/null").toFile())
                            .start();
        } catch (IOException e) {
            throw new IOException(
                    "skopeo, which copies images, cannot be started on the director's host"
                            + " (apt-get install skopeo): "
                            + e.getMessage(),
                    e);
        }
        var out = new Tail(process.getInputStream(), MOST_OUTPUT);
        var errors = new Tail(process.getErrorStream(), MOST_OUTPUT);
        Thread reading = Thread.ofVirtual().name("skopeo out").start(out);
        Thread readingErrors = Thread.ofVirtual().name("skopeo errors").start(errors);
        long deadline = System.nanoTime() + limit.toNanos();
        try {
            while (!process.waitFor(BEAT_MILLIS, TimeUnit.MILLISECONDS)) {
                if (System.nanoTime() > deadline) {
                    throw new IOException(
                            "did not come to an end in "
                                    + limit.toSeconds()
                                    + " seconds; its last words: "
                                    + lastLine(out.text() + errors.text()));
                }
                beat.accept(lastLine(out.text()));
            }
            reading.join();
            readingErrors.join();
        } finally {
            process.destroyForcibly();
        }
        if (process.exitValue() != 0) {
            throw new IOException(words(errors.text()));
        }
        if (out.overran()) {
            throw new IOException("answered more than " + MOST_OUTPUT + " bytes");
        }
        return out.bytes();
    }

    /** The sentence of the tool's last fatal line, without what only programs read. */
    static String words(String errors) {
        Matcher fatal = FATAL.matcher(errors);
        String said = null;
        while (fatal.find()) {
            said = fatal.group(1);
        }
        if (said == null) {
            return lastLine(errors);
        }
        String plain = said.replace("\\\"", "\"").replace("\\n", " ").replace("\\t", " ");
        return plain.replaceFirst("^Error (parsing|reading) [a-z ]*name \"[^\"]*\": ", "").strip();
    }

    private static String lastLine(String text) {
        return text.strip().lines().reduce((a, b) -> b).orElse("");
    }

    /** Collects a stream up to a bound, and reads on past it so that the writer never waits. */
    private static final class Tail implements Runnable {
        private final InputStream from;
        private final int most;
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
        private volatile boolean overran;

        Tail(InputStream from, int most) {
            this.from = from;
            this.most = most;
        }

        @Override
        public void run() {
            byte[] buffer = new byte[8192];
            try (from) {
                for (int n = from.read(buffer); n >= 0; n = from.read(buffer)) {
                    int room = Math.min(n, most - kept.size());
                    kept.write(buffer, 0, room);
                    if (room < n) {
                        overran = true;
                    }
                }
            } catch (IOException e) {
                // the process was ended
            }
        }

        boolean overran() {
            return overran;
        }

        byte[] bytes() {
            return kept.toByteArray();
        }

        String text() {
            return kept.toString(StandardCharsets.UTF_8);
        }
    }
}
