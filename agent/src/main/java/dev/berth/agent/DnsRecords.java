package dev.berth.agent;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * {@code sync_dns}: the environment's names in {@code /etc/hosts} and in the instance's records
 * file.
 */
final class DnsRecords {
    private static final long LARGEST = 64L * 1024 * 1024;

    private final Layout layout;
    private final Hosts hosts;
    private final Blobs blobs;

    DnsRecords(Layout layout, Hosts hosts, Blobs blobs) {
        this.layout = layout;
        this.hosts = hosts;
        this.blobs = blobs;
    }

    private Path file() {
        return layout.instance().resolve("dns/records.json");
    }

    String sync(
            String blob, String digest, long version, String signedUrl, Map<String, String> headers)
            throws IOException {
        if (localVersion() >= version) {
            return "synced";
        }
        Path copy = blobs.fetch(blob, digest, signedUrl, headers);
        try {
            if (Files.size(copy) > LARGEST) {
                throw new ActionException("the DNS records are larger than " + LARGEST + " bytes");
            }
            String text = Files.readString(copy);
            Fields records = Fields.of(Json.parse(text), "DNS records");
            if (records.integer("version", -1) != version) {
                throw new ActionException(
                        "version from unpacked dns blob does not match version supplied by director");
            }
            hosts.replace("dns", lines(records));
            DurableFile.write(file(), text, "rw-r-----");
            return "synced";
        } finally {
            Files.deleteIfExists(copy);
        }
    }

    /** A VM that is a container finds a fresh hosts file after each start. */
    void restore() {
        DurableFile.read(file())
                .ifPresent(text ->
                        hosts.replace("dns", lines(Fields.of(Json.parse(text), "DNS records"))));
    }

    private long localVersion() {
        try {
            return DurableFile.read(file())
                    .map(text -> Fields.of(Json.parse(text), "DNS records").integer("version", -1))
                    .orElse(-1L);
        } catch (IllegalArgumentException e) {
            return -1;
        }
    }

    private static List<String> lines(Fields records) {
        var lines = new ArrayList<String>();
        for (Object record : records.list("records")) {
            List<Object> pair = Json.asList(record);
            String line = pair.get(0) + " " + pair.get(1);
            if (!line.matches("[0-9a-fA-F.:]+ [a-zA-Z0-9_.\\-]+")) {
                throw new ActionException("'" + line + "' is no DNS record");
            }
            lines.add(line);
        }
        return lines;
    }
}
