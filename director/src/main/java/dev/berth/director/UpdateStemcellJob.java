package dev.berth.director;

import dev.berth.cpi.CpiException;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.StemcellCid;
import dev.berth.store.Rows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Takes a stemcell, uploaded or to be downloaded, to the cloud. Resumed, it begins anew: the upload
 * lies on the disk until the task has ended, and a stemcell that was saved is found and skipped.
 */
final class UpdateStemcellJob implements TaskJob {
    static final String SEALED_FOR = "stemcell location";
    private static final long LARGEST = 10_000L << 20;
    private static final String SKIPPED = " (already exists, skipped)";

    private final StemcellWork work;
    private final SecretBox box;
    private final Path folder;
    private final Fields payload;

    UpdateStemcellJob(StemcellWork work, SecretBox box, Path folder, Map<String, Object> payload) {
        this.work = work;
        this.box = box;
        this.folder = folder;
        this.payload = new Fields(payload, "task");
    }

    @Override
    public String run(TaskContext task) throws Exception {
        Path room = folder.resolve("task-" + task.id());
        String upload = payload.optionalString("file");
        String local = payload.optionalString("local");
        boolean again = false;
        try {
            Files.createDirectories(room);
            work.journal().settleForRepeat(task.id());
            return update(
                    task,
                    room,
                    upload != null
                            ? folder.resolve(upload)
                            : local != null ? Path.of(local) : null);
        } catch (DirectorStopping | InterruptedException e) {
            again = true;
            throw e;
        } finally {
            Folders.delete(room);
            if (upload != null && !again) {
                Files.deleteIfExists(folder.resolve(upload));
            }
        }
    }

    /**
     * @param here the tarball, if it is on this host already
     */
    private String update(TaskContext task, Path room, @Nullable Path here) throws Exception {
        int remote = here != null ? 0 : payload.string("sha1", "").isEmpty() ? 1 : 2;
        TaskLog.Stage stage = task.log().stage("Update stemcell", List.of(), 5 + remote);
        Path tarball = here != null ? here : download(task, stage, room.resolve("tarball"));
        task.checkCancelled();
        var extracted = new StemcellArchive.Extracted[1];
        stage.step(
                "Extracting stemcell archive",
                step -> extracted[0] = StemcellArchive.extract(tarball, room.resolve("stemcell")));
        var read = new StemcellArchive[1];
        stage.step(
                "Verifying stemcell manifest",
                step -> {
                    read[0] = StemcellArchive.read(extracted[0]);
                    requireFormat(read[0]);
                });
        StemcellArchive stemcell = read[0];
        task.checkCancelled();
        List<String> lock = List.of(stemcell.name(), stemcell.version());
        try (Locks.Held ignored = task.lock("stemcells", lock)) {
            save(task, stage, stemcell);
        }
        return "/stemcells/" + stemcell.name() + "/" + stemcell.version();
    }

    private Path download(TaskContext task, TaskLog.Stage stage, Path file) throws Exception {
        String location = box.unseal(SEALED_FOR, payload.string("location"));
        String sha1 = payload.string("sha1", "");
        stage.step(
                "Downloading remote stemcell",
                step ->
                        Download.fetch(
                                location,
                                task,
                                "the stemcell",
                                (in, length) ->
                                        Spool.write(
                                                in, length, LARGEST, file, null, "the stemcell")));
        if (!sha1.isEmpty()) {
            stage.step(
                    "Verifying remote stemcell",
                    step -> {
                        if (!Spool.matches(file, sha1)) {
                            throw new ProblemException(
                                    50007,
                                    "The digest of the downloaded stemcell is not the expected "
                                            + sha1);
                        }
                    });
        }
        return file;
    }

    private void requireFormat(StemcellArchive stemcell) {
        List<String> known;
        try {
            known = work.cpi().info().stemcellFormats();
        } catch (CpiException e) {
            return; // a CPI that cannot tell takes what comes
        }
        if (!known.isEmpty()
                && !stemcell.formats().isEmpty()
                && stemcell.formats().stream().noneMatch(known::contains)) {
            throw new ProblemException(
                    50008,
                    "uploaded stemcell with formats "
                            + stemcell.formats()
                            + " are not supported by available cpi formats: "
                            + known);
        }
    }

    private void save(TaskContext task, TaskLog.Stage stage, StemcellArchive stemcell)
            throws Exception {
        String label = stemcell.name() + "/" + stemcell.version();
        var existing =
                new Object() {
                    Optional<Rows.Stemcell> row = Optional.empty();
                };
        stage.step(
                "Checking if this stemcell already exists",
                step -> existing.row = work.find(stemcell.name(), stemcell.version()));
        if (existing.row.isPresent() && !payload.flag("fix", false)) {
            String cid = existing.row.get().cid().value();
            stage.step("Uploading stemcell " + label + " to the cloud" + SKIPPED, step -> {});
            stage.step("Save stemcell " + label + " (" + cid + ")" + SKIPPED, step -> {});
            return;
        }
        var saved = new Rows.Stemcell[1];
        stage.step(
                "Uploading stemcell " + label + " to the cloud",
                step -> saved[0] = create(task, stemcell));
        stage.step("Save stemcell " + label + " (" + saved[0].cid() + ")", step -> {});
    }

    /** The row is stored with the end of the intent, so that no crash can part the two. */
    private Rows.Stemcell create(TaskContext task, StemcellArchive stemcell) throws IOException {
        var saved = new Rows.Stemcell[1];
        work.journal()
                .<StemcellCid>perform(
                        task.id(),
                        "create_stemcell",
                        Json.of("name", stemcell.name(), "version", stemcell.version()),
                        intent -> {
                            task.log().cpi("create_stemcell " + stemcell.image());
                            return work.cpi()
                                    .createStemcell(
                                            work.identity().context(intent),
                                            stemcell.image(),
                                            stemcell.cloudProperties(),
                                            Map.of());
                        },
                        (session, cid) -> saved[0] = session.saveStemcell(row(stemcell, cid)));
        return saved[0];
    }

    private static Rows.Stemcell row(StemcellArchive stemcell, StemcellCid cid) {
        return new Rows.Stemcell(
                0,
                stemcell.name(),
                stemcell.operatingSystem(),
                stemcell.version(),
                cid,
                StemcellWork.DEFAULT_CPI,
                stemcell.apiVersion());
    }
}
