package dev.berth.director;

import dev.berth.cpi.Cpi;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** {@code /stemcells}: listing, uploading and deleting. */
final class StemcellsApi {
    private static final System.Logger LOG = System.getLogger(StemcellsApi.class.getName());
    private static final long LARGEST = 10_000L << 20;
    private static final String UPDATE = "update_stemcell";
    private static final String DELETE = "delete_stemcell";

    private final Store store;
    private final Tasks tasks;
    private final SecretBox box;
    private final Path folder;
    private final @Nullable Path local;

    /**
     * @param folder for uploads until their task has run
     * @param local where files named by a {@code file:} location must lie; null: nowhere
     */
    StemcellsApi(
            Store store,
            Tasks tasks,
            SecretBox box,
            Cpi cpi,
            DirectorIdentity identity,
            Path folder,
            @Nullable Path local) {
        this.store = store;
        this.tasks = tasks;
        this.box = box;
        this.folder = folder;
        this.local = local;
        var work = new StemcellWork(store, cpi, identity, tasks.clock());
        tasks.register(UPDATE, payload -> new UpdateStemcellJob(work, box, folder, payload));
        tasks.register(DELETE, payload -> new DeleteStemcellJob(work, payload));
    }

    void addTo(Router router) {
        router.get("/stemcells", Access.READ, this::list);
        router.on("POST", "/stemcell_uploads", "application/json", Access.READ, this::needed);
        router.on("POST", "/stemcells", "application/x-compressed", Access.ADMIN, this::upload);
        router.on("POST", "/stemcells", "application/json", Access.ADMIN, this::download);
        router.delete("/stemcells/{name}/{version}", Access.ADMIN, this::delete);
    }

    /** Removes uploads whose task was never stored or has ended: their director died in between. */
    void sweep() throws IOException {
        Set<String> wanted = new HashSet<>();
        store.read(s -> s.tasks(Tasks.UNFINISHED, List.of(UPDATE), null, Integer.MAX_VALUE))
                .forEach(task -> wanted.add(String.valueOf(task.payload().get("file"))));
        Files.createDirectories(folder);
        try (DirectoryStream<Path> left = Files.newDirectoryStream(folder)) {
            for (Path path : left) {
                if (!wanted.contains(path.getFileName().toString())) {
                    LOG.log(System.Logger.Level.INFO, "removing the left-over upload " + path);
                    Folders.delete(path);
                }
            }
        }
    }

    private Reply list(Call call) {
        return Reply.json(
                store.read(s -> {
                    List<Rows.Deployment> deployments = s.deployments();
                    return s.stemcells().stream()
                            .map(stemcell -> json(stemcell, deployments))
                            .toList();
                }));
    }

    private static Map<String, Object> json(
            Rows.Stemcell stemcell, List<Rows.Deployment> deployments) {
        return Json.of(
                "id",
                stemcell.id(),
                "name",
                stemcell.name(),
                "operating_system",
                stemcell.operatingSystem(),
                "version",
                stemcell.version(),
                "cid",
                stemcell.cid().value(),
                "cpi",
                stemcell.cpi(),
                "deployments",
                users(stemcell.name(), stemcell.version(), deployments).stream()
                        .map(name -> Json.of("name", name))
                        .toList(),
                "api_version",
                stemcell.apiVersion());
    }

    /** Names of the deployments that use a stemcell. */
    static List<String> users(String name, String version, List<Rows.Deployment> deployments) {
        return deployments.stream()
                .filter(d -> d.stemcells().contains(name + "/" + version))
                .map(Rows.Deployment::name)
                .collect(Collectors.toList());
    }

    private Reply needed(Call call) throws IOException {
        Fields stemcell = call.json().object("stemcell");
        for (String key : List.of("name", "version")) {
            if (stemcell.optionalString(key) == null) {
                throw new ProblemException(
                        40001, "Required property '" + key + "' was not specified in 'stemcell'");
            }
        }
        boolean known =
                store.read(s -> s.stemcells()).stream()
                        .anyMatch(row ->
                                row.name().equals(stemcell.string("name"))
                                        && row.version().equals(stemcell.string("version")));
        return Reply.json(Json.of("needed", !known));
    }

    private Reply upload(Call call) throws IOException {
        Path file = folder.resolve("stemcell-" + UUID.randomUUID());
        long size = Spool.write(call.body(), call.length(), LARGEST, file, null, "the stemcell");
        if (size == 0) {
            Files.deleteIfExists(file);
            throw new ProblemException(50000, "The uploaded stemcell is empty");
        }
        return enqueue(call, Json.of("file", file.getFileName().toString()));
    }

    private Reply download(Call call) throws IOException {
        Fields body = call.json();
        String location = body.optionalString("location");
        if (location != null && location.startsWith("file:")) {
            return enqueue(call, Json.of("local", allowed(location).toString()));
        }
        if (location == null || !location.matches("https?://.+")) {
            throw new ProblemException(
                    40005, "Property 'location' must be an http or https URL of a stemcell");
        }
        return enqueue(
                call,
                Json.of(
                        "location", // sealed: it may hold a password or a signature
                        box.seal(UpdateStemcellJob.SEALED_FOR, location),
                        "sha1",
                        body.string("sha1", "")));
    }

    /** Whoever may upload may not for that read any file of the director's host. */
    private Path allowed(String location) {
        try {
            Path file = Path.of(URI.create(location)).toRealPath();
            if (local != null && file.startsWith(local.toRealPath())) {
                return file;
            }
        } catch (IOException
                | IllegalArgumentException
                | java.nio.file.FileSystemNotFoundException e) {
            // Said below, whatever it is: what lies on the host is nobody's business.
        }
        throw new ProblemException(
                40005,
                "Property 'location' names no stemcell that this director may take from its own"
                        + " host; upload the file instead");
    }

    private Reply enqueue(Call call, Map<String, Object> payload) {
        payload.put("fix", call.flag("fix"));
        return Reply.task(
                tasks.enqueue(
                                UPDATE,
                                "create stemcell",
                                call.userName(),
                                null,
                                call.contextId(),
                                payload)
                        .id());
    }

    private Reply delete(Call call) {
        String name = call.parameter("name");
        String version = call.parameter("version");
        return Reply.task(
                tasks.enqueue(
                                DELETE,
                                "delete stemcell: " + name + "/" + version,
                                call.userName(),
                                null,
                                call.contextId(),
                                Json.of(
                                        "name",
                                        name,
                                        "version",
                                        version,
                                        "force",
                                        call.flag("force")))
                        .id());
    }
}
