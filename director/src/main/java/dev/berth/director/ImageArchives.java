package dev.berth.director;

import dev.berth.model.EnvironmentFile;
import dev.berth.model.Fields;
import dev.berth.model.ImageName;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.RegistryLogin;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Archives of images, as {@code docker save} writes them or in OCI's layout, into the environment's
 * registry. Thread-safe.
 */
final class ImageArchives {
    private static final int LONGEST_INDEX = 1024 * 1024;
    private static final Duration LIMIT = Duration.ofMinutes(30);
    private static final String NAME =
            "[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?";

    private final Skopeo skopeo;
    private final Supplier<RegistryLogin> own;

    /**
     * @param own the environment's registry as this host reaches it
     */
    ImageArchives(Skopeo skopeo, Supplier<RegistryLogin> own) {
        this.skopeo = skopeo;
        this.own = own;
    }

    /** Whether the registry can take an image under this name. */
    static boolean isName(String name) {
        return name.matches(NAME) && name.length() <= 250;
    }

    /**
     * Names in the registry by what the copying program calls the image.
     *
     * @param name what it is to be called; null: as the archive says
     * @throws ProblemException it is no such archive, or leaves the name open
     */
    Map<String, String> images(Path archive, @Nullable String name) throws IOException {
        Map<String, byte[]> indexes = indexes(archive);
        byte[] docker = indexes.get("manifest.json");
        byte[] oci = indexes.get("index.json");
        if (docker != null) {
            return ofDocker(archive, Json.asList(Json.parse(docker)), name);
        }
        if (oci != null) {
            if (name == null) {
                throw new ProblemException(
                        40005, "An archive of OCI's layout does not name its image; give --name");
            }
            return Map.of("oci-archive:" + archive, name);
        }
        throw new ProblemException(
                40005,
                "The file is no archive of an image: write one with docker save -o FILE IMAGE");
    }

    private static Map<String, String> ofDocker(
            Path archive, List<Object> all, @Nullable String name) {
        var images = new LinkedHashMap<String, String>();
        for (Object item : all) {
            for (String tag : Fields.of(item, "manifest.json").strings("RepoTags")) {
                String repository = ImageName.parse(tag).repository();
                String plain = repository.replaceFirst("^library/", "");
                images.put(
                        "docker-archive:" + archive + ":" + tag,
                        plain + ":" + ImageName.parse(tag).version());
            }
        }
        if (name == null && images.isEmpty()) {
            throw new ProblemException(
                    40005, "The archive does not name its image: give --name NAME:TAG");
        }
        if (name != null && all.size() != 1) {
            throw new ProblemException(
                    40005,
                    "The archive holds " + all.size() + " images: leave out --name, or save one");
        }
        return name == null ? images : Map.of("docker-archive:" + archive + ":@0", name);
    }

    private static Map<String, byte[]> indexes(Path archive) throws IOException {
        var found = new LinkedHashMap<String, byte[]>();
        try (InputStream plain = plain(archive);
                var tar = new TarArchiveInputStream(plain)) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                String name = entry.getName().replaceFirst("^\\./", "");
                if (name.equals("manifest.json") || name.equals("index.json")) {
                    found.put(name, tar.readNBytes(LONGEST_INDEX));
                }
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new ProblemException(
                    40005, "The file is no archive of an image: " + e.getMessage());
        }
        return found;
    }

    private static InputStream plain(Path archive) throws IOException {
        var in = new BufferedInputStream(Files.newInputStream(archive));
        in.mark(2);
        boolean packed = in.read() == 0x1f && in.read() == 0x8b;
        in.reset();
        return packed ? new GZIPInputStream(in) : in;
    }

    /** Copies one of {@link #images}; returns what manifests call it. */
    String upload(String source, String name, Consumer<String> progress)
            throws IOException, InterruptedException {
        String tagged = name.contains(":") ? name : name + ":latest";
        skopeo.copy(
                List.of(new Skopeo.End("dest-", own.get())),
                List.of(source, "docker://" + own.get().host() + "/" + tagged),
                LIMIT,
                progress);
        return EnvironmentFile.REGISTRY_NAME + "/" + tagged;
    }
}
