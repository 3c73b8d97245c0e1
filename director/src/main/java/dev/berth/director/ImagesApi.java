package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Store;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** {@code POST /images}: takes an archive into the environment's registry, as a task. */
final class ImagesApi {
    private static final long LARGEST = 20_000L << 20;
    private static final String UPLOAD = "upload_image";

    private final Store store;
    private final Tasks tasks;
    private final Path folder;

    /**
     * @param folder for uploads until their task has run; nothing else may be in it
     */
    ImagesApi(Store store, Tasks tasks, ImageArchives archives, Path folder) {
        this.store = store;
        this.tasks = tasks;
        this.folder = folder;
        tasks.register(UPLOAD, payload -> task -> run(task, archives, payload));
    }

    void addTo(Router router) {
        router.on("POST", "/images", "application/x-tar", Access.ADMIN, this::upload);
    }

    /** Removes uploads whose task was never stored or has ended: their director died in between. */
    void sweep() throws IOException {
        Set<String> wanted = new HashSet<>();
        store.read(s -> s.tasks(Tasks.UNFINISHED, List.of(UPLOAD), null, Integer.MAX_VALUE))
                .forEach(task -> wanted.add(String.valueOf(task.payload().get("file"))));
        Files.createDirectories(folder);
        try (DirectoryStream<Path> left = Files.newDirectoryStream(folder)) {
            for (Path path : left) {
                if (!wanted.contains(path.getFileName().toString())) {
                    Folders.delete(path);
                }
            }
        }
    }

    private Reply upload(Call call) throws IOException {
        String name = call.query("name");
        if (name != null && !name.isEmpty() && !ImageArchives.isName(name)) {
            throw new ProblemException(
                    40005,
                    "'"
                            + name
                            + "' is no name of an image: NAME:TAG in lower case, without a host");
        }
        Path file = folder.resolve("image-" + UUID.randomUUID() + ".tar");
        long ignored = Spool.write(call.body(), call.length(), LARGEST, file, null, "the image");
        return Reply.task(
                tasks.enqueue(
                                UPLOAD,
                                "upload image",
                                call.userName(),
                                null,
                                call.contextId(),
                                Json.of(
                                        "file",
                                        file.getFileName().toString(),
                                        "name",
                                        name == null ? "" : name))
                        .id());
    }

    /** Begun anew after a crash: what is in the registry already is not sent again. */
    private String run(TaskContext task, ImageArchives archives, Map<String, Object> payload)
            throws Exception {
        Fields fields = Fields.of(payload, "task");
        Path file = folder.resolve(fields.string("file"));
        String name = fields.string("name", "");
        boolean again = false;
        try {
            Map<String, String> images = archives.images(file, name.isEmpty() ? null : name);
            TaskLog.Stage stage = task.log().stage("Uploading images", List.of(), images.size());
            var names = new java.util.ArrayList<String>();
            for (Map.Entry<String, String> image : images.entrySet()) {
                stage.step(
                        image.getValue(),
                        step ->
                                names.add(
                                        archives.upload(
                                                image.getKey(),
                                                image.getValue(),
                                                words -> task.checkCancelled())));
            }
            names.forEach(n -> task.log().result(Json.write(Json.of("image", n))));
            return String.join(", ", names);
        } catch (DirectorStopping | InterruptedException e) {
            again = true;
            throw e;
        } finally {
            if (!again) {
                Files.deleteIfExists(file);
            }
        }
    }
}
