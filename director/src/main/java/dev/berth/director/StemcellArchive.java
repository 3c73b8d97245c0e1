package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.ProblemException;
import dev.berth.model.YamlDocument;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A stemcell taken out of its tarball: {@code image} and {@code stemcell.MF} side by side in a
 * folder, which is what CPIs expect.
 *
 * @param formats as the stemcell names them; empty when it names none
 */
record StemcellArchive(
        String name,
        String version,
        String operatingSystem,
        int apiVersion,
        List<String> formats,
        Map<String, Object> cloudProperties,
        Path image) {
    private static final long LARGEST_IMAGE = 40L << 30;
    private static final int LONGEST_MANIFEST = 1 << 20;
    private static final int MOST_ENTRIES = 10_000;
    private static final String NAME_PATTERN = "[0-9A-Za-z_+.-]+";
    private static final String VERSION_PATTERN =
            "[0-9A-Za-z_.]+(-[0-9A-Za-z_.-]+)?(\\+[0-9A-Za-z_.-]+)?";

    /**
     * The files of a tarball, before its manifest was looked at.
     *
     * @param sha1 of the image, taken on its way: reading hundreds of megabytes twice takes seconds
     */
    record Extracted(Path image, Path manifest, String sha1) {}

    /**
     * Takes the two files out; nothing else of the tarball touches the disk, whatever its entries
     * are called.
     */
    static Extracted extract(Path tarball, Path folder) throws IOException {
        Folders.delete(folder);
        Files.createDirectories(folder);
        Path image = folder.resolve("image");
        Path manifest = folder.resolve("stemcell.MF");
        MessageDigest sha1 = Spool.digest("SHA-1");
        try (var file = new BufferedInputStream(Files.newInputStream(tarball), 1 << 18);
                InputStream plain = plain(file);
                var tar = new TarArchiveInputStream(plain)) {
            int count = 0;
            for (TarArchiveEntry entry = tar.getNextEntry();
                    entry != null;
                    entry = tar.getNextEntry()) {
                if (++count > MOST_ENTRIES) {
                    throw broken("it has more than " + MOST_ENTRIES + " entries");
                }
                String name = entry.getName().replaceFirst("^(\\./)+", "");
                if (name.equals("image") && entry.isFile()) {
                    once(image);
                    Spool.write(tar, entry.getSize(), LARGEST_IMAGE, image, sha1, "the image");
                } else if (name.equals("stemcell.MF") && entry.isFile()) {
                    once(manifest);
                    Spool.write(
                            tar, entry.getSize(), LONGEST_MANIFEST, manifest, null, "stemcell.MF");
                }
            }
        } catch (IOException | IllegalArgumentException e) {
            throw broken(Failures.message(e));
        }
        if (!Files.exists(image)) {
            throw new ProblemException(50001, "Stemcell image not found");
        }
        if (!Files.exists(manifest)) {
            throw broken("it has no stemcell.MF");
        }
        return new Extracted(image, manifest, HexFormat.of().formatHex(sha1.digest()));
    }

    private static InputStream plain(BufferedInputStream file) throws IOException {
        file.mark(2);
        boolean gzip = file.read() == 0x1f && file.read() == 0x8b;
        file.reset();
        return gzip
                ? GzipCompressorInputStream.builder()
                        .setInputStream(file)
                        .setDecompressConcatenated(true)
                        .get()
                : file;
    }

    private static void once(Path file) {
        if (Files.exists(file)) {
            throw broken("it has '" + file.getFileName() + "' twice");
        }
    }

    /** Reads and checks the manifest. */
    static StemcellArchive read(Extracted files) throws IOException {
        Fields manifest;
        try {
            String text = Files.readString(files.manifest(), StandardCharsets.UTF_8);
            manifest = Fields.of(YamlDocument.parse(text).root(), "stemcell.MF");
            var archive = of(manifest, files.image());
            String wanted = manifest.string("sha1");
            if (!wanted.equalsIgnoreCase(files.sha1()) && !Spool.matches(files.image(), wanted)) {
                throw new ProblemException(
                        50007,
                        "The digest of the stemcell's image is not the one its stemcell.MF gives");
            }
            return archive;
        } catch (IllegalArgumentException e) {
            throw broken(Failures.message(e));
        } catch (ProblemException e) {
            throw e.code() == 440001 ? broken(Failures.message(e)) : e;
        }
    }

    private static StemcellArchive of(Fields manifest, Path image) {
        String name = manifest.string("name");
        String version = manifest.string("version");
        if (!name.matches(NAME_PATTERN) || !version.matches(VERSION_PATTERN)) {
            throw broken("its name '" + name + "' or version '" + version + "' is not valid");
        }
        return new StemcellArchive(
                name,
                version,
                manifest.string("operating_system", name),
                (int) manifest.integer("api_version", 1),
                manifest.strings("stemcell_formats"),
                manifest.object("cloud_properties").tree(),
                image);
    }

    private static ProblemException broken(@Nullable String why) {
        return new ProblemException(50000, "Extracting stemcell archive failed: " + why);
    }
}
