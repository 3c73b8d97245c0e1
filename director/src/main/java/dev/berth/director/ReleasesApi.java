package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Store;
import java.util.List;
import java.util.Map;

/**
 * {@code /releases}: the built-in {@code docker} release, which needs no upload. Other releases are
 * refused by a task that says so.
 */
final class ReleasesApi {
    static final String NAME = "docker";
    static final String VERSION = "36.0.2";
    private static final List<String> JOBS = List.of("containers", "docker");

    private final Store store;
    private final Tasks tasks;

    ReleasesApi(Store store, Tasks tasks) {
        this.store = store;
        this.tasks = tasks;
        tasks.register("update_release", ignored -> ReleasesApi::refuseUpload);
        tasks.register("delete_release", ignored -> ReleasesApi::refuseDelete);
    }

    void addTo(Router router) {
        router.get("/releases", Access.READ, call -> Reply.json(List.of(builtIn())));
        router.get("/releases/{name}", Access.READ, this::inspect);
        router.on(
                "POST",
                "/packages/matches",
                "text/yaml",
                Access.ADMIN,
                call -> Reply.json(List.of()));
        router.on(
                "POST",
                "/packages/matches_compiled",
                "text/yaml",
                Access.ADMIN,
                call -> Reply.json(List.of()));
        router.on("POST", "/releases", "application/x-compressed", Access.ADMIN, this::upload);
        router.on("POST", "/releases", "application/json", Access.ADMIN, this::upload);
        router.delete("/releases/{name}", Access.ADMIN, this::delete);
    }

    private Map<String, Object> builtIn() {
        boolean deployed =
                store.read(s -> s.deployments()).stream()
                        .anyMatch(d -> d.releases().contains(NAME + "/" + VERSION));
        return Json.of(
                "name",
                NAME,
                "release_versions",
                List.of(
                        Json.of(
                                "version",
                                VERSION,
                                "commit_hash",
                                null,
                                "uncommitted_changes",
                                false,
                                "currently_deployed",
                                deployed,
                                "job_names",
                                JOBS)));
    }

    private Reply inspect(Call call) {
        require(call.parameter("name"));
        String version = call.query("version");
        if (version != null && !version.equals(VERSION)) {
            throw new ProblemException(
                    30006, "Release version '" + NAME + "/" + version + "' doesn't exist");
        }
        List<Map<String, Object>> jobs =
                JOBS.stream()
                        .map(job ->
                                Json.of(
                                        "name",
                                        job,
                                        "fingerprint",
                                        "built-in-" + VERSION,
                                        "blobstore_id",
                                        null,
                                        "sha1",
                                        null,
                                        "consumes",
                                        null,
                                        "provides",
                                        null))
                        .toList();
        return Reply.json(
                version == null
                        ? Json.of("jobs", jobs, "packages", List.of(), "versions", List.of(VERSION))
                        : Json.of("jobs", jobs, "packages", List.of()));
    }

    private static void require(String name) {
        if (!name.equals(NAME)) {
            throw new ProblemException(30005, "Release '" + name + "' doesn't exist");
        }
    }

    private Reply upload(Call call) {
        return Reply.task(
                tasks.enqueue(
                                "update_release",
                                "create release",
                                call.userName(),
                                null,
                                call.contextId(),
                                Map.of())
                        .id());
    }

    private static String refuseUpload(TaskContext task) {
        throw new ProblemException(
                30002,
                "BOSH releases are not supported yet. Describe containers under 'containers' of an"
                        + " instance group, or with the built-in release "
                        + NAME
                        + "/"
                        + VERSION
                        + ", which needs no upload");
    }

    private Reply delete(Call call) {
        require(call.parameter("name"));
        return Reply.task(
                tasks.enqueue(
                                "delete_release",
                                "delete release: " + NAME,
                                call.userName(),
                                null,
                                call.contextId(),
                                Map.of())
                        .id());
    }

    private static String refuseDelete(TaskContext task) {
        throw new ProblemException(
                30007, "Release '" + NAME + "' is part of the director and cannot be deleted");
    }
}
