package dev.berth.stemcell;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A finished stemcell.
 *
 * @param key what it was made from; another key means that this one is stale
 * @param sha1 of {@code image}, as BOSH's {@code stemcell.MF} wants it
 * @param content SHA-256 of {@code image}: by it a CPI knows an image it already has
 * @param bytes size of the tarball
 */
record Stemcell(String version, String key, Path file, String sha1, String content, long bytes) {
    static final String NAME = "bosh-docker-berth-debian";
    static final String OPERATING_SYSTEM = "berth-debian";
    private static final Instant EPOCH = Instant.parse("2026-01-01T00:00:00Z");

    /**
     * {@code 1.N}, N the minutes of {@link #EPOCH}: rises with time even when the cache is deleted,
     * so that {@code version: latest} is always the newest build.
     */
    static String versionAfter(Optional<Stemcell> last, Instant now) {
        long minutes = Duration.between(EPOCH, now).toMinutes();
        long previous =
                last.map(stemcell -> Long.parseLong(stemcell.version().substring(2))).orElse(0L);
        return "1." + Math.max(minutes, previous + 1);
    }

    String toJson() {
        return json(file.toString());
    }

    private String json(String at) {
        return Json.write(
                Json.of(
                        "name",
                        NAME,
                        "version",
                        version,
                        "operating_system",
                        OPERATING_SYSTEM,
                        "key",
                        key,
                        "file",
                        at,
                        "sha1",
                        sha1,
                        "content_digest",
                        content,
                        "size",
                        bytes));
    }

    /** The newest stemcell of a cache; empty when there is none or its file is not whole. */
    static Optional<Stemcell> current(Path cache) throws IOException {
        Path record = cache.resolve("current.json");
        if (!Files.exists(record)) {
            return Optional.empty();
        }
        Fields f = Fields.of(Json.parse(Files.readAllBytes(record)), record.toString());
        // By its name alone: earlier records hold a whole path, which a moved cache makes wrong.
        Path file = cache.resolve(Path.of(f.string("file")).getFileName());
        if (!Files.exists(file) || Files.size(file) != f.integer("size")) {
            return Optional.empty();
        }
        return Optional.of(
                new Stemcell(
                        f.string("version"),
                        f.string("key"),
                        file,
                        f.string("sha1"),
                        f.string("content_digest"),
                        f.integer("size")));
    }

    /** The text of {@code stemcell.MF}. */
    static String manifest(String version, String sha1, String content, String architecture) {
        return """
        ---
        name: %s
        version: '%s'
        operating_system: %s
        bosh_protocol: '1'
        api_version: 3
        sha1: %s
        stemcell_formats:
        - warden-tar
        - general-tar
        cloud_properties:
          name: %s
          version: '%s'
          infrastructure: docker
          os_type: linux
          os_distro: debian
          architecture: %s
          content_digest: sha256:%s
        """
                .formatted(
                        NAME,
                        version,
                        OPERATING_SYSTEM,
                        sha1,
                        NAME,
                        version,
                        architecture,
                        content);
    }

    void record(Path cache) throws IOException {
        Path partial = cache.resolve("current.json.partial");
        Files.write(
                partial,
                (json(file.getFileName().toString()) + "\n").getBytes(StandardCharsets.UTF_8));
        Files.move(
                partial,
                cache.resolve("current.json"),
                java.nio.file.StandardCopyOption.ATOMIC_MOVE,
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }
}
