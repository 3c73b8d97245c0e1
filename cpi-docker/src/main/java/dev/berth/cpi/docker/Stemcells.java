package dev.berth.cpi.docker;

import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiException;
import dev.berth.cpi.CpiException.Type;
import dev.berth.engine.Engine;
import dev.berth.model.Digests;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.StemcellCid;
import dev.berth.model.YamlDocument;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Stemcells as images. The cid is a digest of the content and of what the stemcell says of itself:
 * the same upload gives the same cid, and two stemcells never share one. Each director has a tag of
 * its own, so that of two environments on one engine neither deletes the other's; the image goes
 * with its last tag.
 */
final class Stemcells {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final Engine engine;
    private final FileLocks locks;

    Stemcells(Engine engine, FileLocks locks) {
        this.engine = engine;
        this.locks = locks;
    }

    static String reference(CpiContext context, StemcellCid stemcell) {
        return repository(context) + ":" + Base.name(stemcell.value());
    }

    private static String repository(CpiContext context) {
        return "berth-stemcell/" + Labels.directorName(context);
    }

    StemcellCid create(
            CpiContext context,
            Path image,
            Map<String, Object> properties,
            Map<String, String> tags) {
        checkArchitecture(Fields.of(properties, "cloud_properties"));
        boolean light = size(image) == 0;
        String digest = light ? pulled(properties) : digestOf(image);
        String identity = digest + Json.canonical(properties) + manifest(image);
        var cid = new StemcellCid("sc-" + Digests.sha256(identity).substring(0, 40));
        try (var lock = locks.lock("stemcell-" + cid)) {
            if (engine.inspectImage(reference(context, cid)).isEmpty()) {
                Optional<String> equal = light ? Optional.of(digest) : equal(digest);
                if (equal.isPresent()) {
                    engine.tagImage(equal.get(), repository(context), cid.value());
                } else {
                    load(context, image, cid, changes(context, cid, digest, tags));
                }
            }
        }
        return cid;
    }

    private void load(CpiContext context, Path image, StemcellCid cid, List<String> changes) {
        try (InputStream tar = Files.newInputStream(image)) {
            engine.importImage(tar, repository(context), cid.value(), changes);
        } catch (IOException e) {
            throw Records.failed("read " + image, e);
        }
    }

    /** A light stemcell names an image that a registry has. */
    private String pulled(Map<String, Object> properties) {
        String name = Fields.of(properties, "cloud_properties").string("image", "");
        if (name.isEmpty()) {
            throw new CpiException(
                    Type.CPI_ERROR,
                    "the stemcell's image is empty and cloud_properties.image names none");
        }
        if (engine.inspectImage(name).isEmpty()) {
            engine.pullImage(name, null, line -> {});
        }
        return engine.inspectImage(name)
                .map(found -> Fields.of(found, "image").string("Id"))
                .orElseThrow(
                        () -> new CpiException(Type.CLOUD_ERROR, "image " + name + " is gone"));
    }

    private Optional<String> equal(String digest) {
        return engine.listImages().stream()
                .map(found -> Fields.of(found, "image"))
                .filter(found -> digest.equals(found.stringMap("Labels").get(Labels.DIGEST)))
                .map(found -> found.string("Id"))
                .findFirst();
    }

    private void checkArchitecture(Fields properties) {
        String wanted = properties.string("architecture", "");
        if (wanted.isEmpty()) {
            return;
        }
        String have = Fields.of(engine.info(), "engine").string("Architecture");
        if (!architecture(wanted).equals(architecture(have))) {
            throw new CpiException(
                    Type.CLOUD_ERROR,
                    "the stemcell is for " + wanted + ", the Docker Engine runs on " + have);
        }
    }

    private static String architecture(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "x86_64", "amd64" -> "amd64";
            case "aarch64", "arm64" -> "arm64";
            default -> name;
        };
    }

    private static List<String> changes(
            CpiContext context, StemcellCid cid, String digest, Map<String, String> tags) {
        var changes = new ArrayList<String>();
        Map<String, String> labels = Labels.of(context, "stemcell", cid.value());
        labels.put(Labels.DIGEST, digest);
        tags.forEach((name, value) -> labels.put(Labels.TAG + name, value));
        labels.forEach((name, value) -> changes.add("LABEL " + quoted(name) + "=" + quoted(value)));
        return changes;
    }

    /** Dockerfile text; what would end the line or the quotes is dropped rather than refused. */
    private static String quoted(String text) {
        return '"' + text.replaceAll("[\"\\\\$\\p{Cntrl}]", "_") + '"';
    }

    private static long size(Path image) {
        try {
            return Files.size(image);
        } catch (IOException e) {
            throw Records.failed("read " + image, e);
        }
    }

    private static String manifest(Path image) {
        Path manifest = image.resolveSibling("stemcell.MF");
        try {
            return Files.exists(manifest) ? Digests.sha256(Files.readAllBytes(manifest)) : "";
        } catch (IOException e) {
            throw Records.failed("read " + manifest, e);
        }
    }

    /**
     * As the manifest beside the image gives it, which whoever extracted the two has checked; an
     * image that comes alone is read.
     */
    private static String digestOf(Path image) {
        Path manifest = image.resolveSibling("stemcell.MF");
        try {
            if (Files.exists(manifest)) {
                String given =
                        Fields.of(
                                        YamlDocument.parse(Files.readString(manifest)).root(),
                                        "stemcell.MF")
                                .string("sha1", "");
                if (!given.isEmpty()) {
                    return given;
                }
            }
        } catch (IOException | IllegalArgumentException | ProblemException e) {
            return digest(image); // a manifest that cannot be read promises nothing
        }
        return digest(image);
    }

    private static String digest(Path image) {
        try (var in =
                new DigestInputStream(
                        Files.newInputStream(image), MessageDigest.getInstance("SHA-256"))) {
            byte[] buffer = new byte[65536];
            while (in.read(buffer) >= 0) {
                // The stream counts what passes.
            }
            return HexFormat.of().formatHex(in.getMessageDigest().digest());
        } catch (IOException e) {
            throw Records.failed("read " + image, e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("the JDK lacks SHA-256", e);
        }
    }

    /** The stemcells of this director, by its tags. */
    List<StemcellCid> all(CpiContext context) {
        String prefix = repository(context) + ":";
        return engine.listImages().stream()
                .flatMap(found -> Fields.of(found, "image").strings("RepoTags").stream())
                .filter(tag -> tag.startsWith(prefix))
                .map(tag -> new StemcellCid(tag.substring(prefix.length())))
                .toList();
    }

    void delete(CpiContext context, StemcellCid stemcell) {
        try (var lock = locks.lock("stemcell-" + Base.name(stemcell.value()))) {
            List<String> users =
                    engine
                            .listContainers(
                                    Labels.query(Labels.STEMCELL, stemcell.value(), "vm"), LIMIT)
                            .stream()
                            .map(vm -> Fields.of(vm, "container").stringMap("Labels"))
                            .filter(l -> context.directorUuid().equals(l.get(Labels.DIRECTOR)))
                            .map(labels -> String.valueOf(labels.get(Labels.CID)))
                            .toList();
            if (!users.isEmpty()) {
                throw new CpiException(
                        Type.CLOUD_ERROR,
                        "stemcell " + stemcell + " is used by " + String.join(", ", users));
            }
            engine.removeImage(reference(context, stemcell), false);
        }
    }
}
