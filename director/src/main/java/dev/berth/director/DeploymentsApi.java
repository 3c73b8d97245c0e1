package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.YamlDocument;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.io.IOException;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code /deployments}: listing, deploying, comparing, deleting and changing the state of
 * instances. What changes anything becomes a task; its payload says all the job needs:
 *
 * <ul>
 *   <li>{@code update_deployment}: {@code deployment}, {@code manifest} (text), {@code options}
 *       (see {@link DeployRequest#options}), {@code context} ({@code cloud_config_ids}, {@code
 *       runtime_config_ids}) and, when instances are to change state, {@code state_change} ({@code
 *       state}; {@code group} or {@code *}; {@code instance}: id or null)
 *   <li>{@code delete_deployment}: {@code deployment}, {@code options} ({@code force})
 *   <li>{@code cck_scan_and_fix}: {@code deployment}, {@code jobs}: group to list of instance ids
 * </ul>
 */
final class DeploymentsApi {
    static final String UPDATE = "update_deployment";
    static final String DELETE = "delete_deployment";
    static final String SCAN_AND_FIX = "cck_scan_and_fix";

    private static final String NAME = "[-0-9A-Za-z_+.]{1,100}";
    private static final Set<String> STATES =
            Set.of("started", "stopped", "detached", "restart", "recreate");

    private final Store store;
    private final Tasks tasks;
    private final DirectorIdentity identity;

    DeploymentsApi(Store store, Tasks tasks, DirectorIdentity identity) {
        this.store = store;
        this.tasks = tasks;
        this.identity = identity;
    }

    void addTo(Router router) {
        router.get("/deployments", Access.READ, this::list);
        router.get("/deployment_configs", Access.READ, this::configs);
        router.on("POST", "/deployments", "text/yaml", Access.ADMIN, this::deploy);
        router.on("POST", "/deployments/{d}/diff", "text/yaml", Access.ADMIN, this::diff);
        router.get("/deployments/{d}", Access.READ, this::manifest);
        router.delete("/deployments/{d}", Access.ADMIN, this::delete);
        router.get("/deployments/{d}/variables", Access.ADMIN, this::variables);
        router.on("PUT", "/deployments/{d}/jobs/{g}", "text/yaml", Access.ADMIN, this::changeState);
        router.on(
                "PUT",
                "/deployments/{d}/jobs/{g}/{i}",
                "text/yaml",
                Access.ADMIN,
                this::changeState);
        router.get("/deployments/{d}/jobs/{g}/{i}", Access.ADMIN, this::instance);
        router.on(
                "PUT",
                "/deployments/{d}/instance_groups/{g}/{i}/ignore",
                "application/json",
                Access.ADMIN,
                this::ignore);
        router.on(
                "PUT",
                "/deployments/{d}/scan_and_fix",
                "application/json",
                Access.ADMIN,
                this::scanAndFix);
    }

    static Rows.Deployment find(Store store, String name) {
        return store.read(s -> s.deployment(name))
                .orElseThrow(() ->
                        new ProblemException(70000, "Deployment '" + name + "' doesn't exist"));
    }

    private Rows.Deployment find(Call call) {
        return find(store, call.parameter("d"));
    }

    private Reply list(Call call) {
        List<Long> current = DeployRequest.currentIds(store, "cloud");
        return Reply.json(
                store.read(s -> s.deployments()).stream()
                        .map(deployment -> json(call, deployment, current))
                        .toList());
    }

    private Map<String, Object> json(Call call, Rows.Deployment row, List<Long> current) {
        var json = new LinkedHashMap<String, Object>();
        json.put("name", row.name());
        json.put("teams", List.of());
        if (!call.flag("exclude_configs")) {
            List<Long> used = row.cloudConfigIds().stream().sorted().toList();
            json.put(
                    "cloud_config",
                    used.isEmpty() ? "none" : used.equals(current) ? "latest" : "outdated");
        }
        if (!call.flag("exclude_stemcells")) {
            json.put("stemcells", namesAndVersions(row.stemcells()));
        }
        if (!call.flag("exclude_releases")) {
            json.put("releases", namesAndVersions(row.releases()));
        }
        if (!call.flag("exclude_lock")) {
            json.put("locked", tasks.locks().isHeld("deployment", List.of(row.name())));
        }
        return json;
    }

    private static List<Map<String, Object>> namesAndVersions(List<String> pairs) {
        return pairs.stream()
                .sorted()
                .map(pair -> {
                    int slash = pair.lastIndexOf('/');
                    return Json.of(
                            "name",
                            pair.substring(0, Math.max(0, slash)),
                            "version",
                            pair.substring(slash + 1));
                })
                .toList();
    }

    private Reply manifest(Call call) {
        return Reply.json(Json.of("manifest", find(call).manifest()));
    }

    private Reply configs(Call call) {
        List<String> names = call.query().getOrDefault("deployment[]", List.of());
        return Reply.json(
                store.read(s ->
                        names.stream()
                                .flatMap(name -> s.deployment(name).stream())
                                .flatMap(row ->
                                        row.cloudConfigIds().stream()
                                                .flatMap(id -> s.config(id).stream())
                                                .map(c -> configJson(row, c)))
                                .toList()));
    }

    private static Map<String, Object> configJson(Rows.Deployment row, Rows.Config config) {
        return Json.of(
                "id",
                config.id(),
                "deployment",
                row.name(),
                "config",
                Json.of("id", config.id(), "type", config.type(), "name", config.name()));
    }

    private Reply deploy(Call call) throws IOException {
        String text = call.text();
        YamlDocument manifest = NamedConfigsApi.mapping(text);
        if (!(manifest.tree().get("name") instanceof String name)) {
            throw new ProblemException(
                    40001, "Required property 'name' was not specified in the manifest");
        }
        if (!name.matches(NAME)) {
            throw new ProblemException(
                    40005, "Deployment name '" + name + "' may hold letters, digits and -_+. only");
        }
        Map<String, Object> options = DeployRequest.options(call);
        DeployRequest.createdBefore(call, call.flag("recreate"), "recreate=true", options);
        Map<String, Object> context = DeployRequest.context(store, call.query("context"));
        boolean dry = call.flag("dry_run");
        if (!dry) {
            register(name);
        }
        return update(call, name, text, options, context, null, dry ? " (dry run)" : "");
    }

    /** So that listings show the deployment before its first task has run. */
    private void register(String name) {
        store.update(s -> {
            if (s.deployment(name).isEmpty()) {
                s.saveDeployment(
                        new Rows.Deployment(
                                name,
                                null,
                                List.of(),
                                List.of(),
                                List.of(),
                                Map.of(),
                                tasks.clock().now()));
            }
        });
    }

    private Reply update(
            Call call,
            String deployment,
            String manifest,
            Map<String, Object> options,
            Map<String, Object> context,
            @Nullable Map<String, Object> stateChange,
            String suffix) {
        Map<String, Object> payload =
                Json.of(
                        "deployment",
                        deployment,
                        "manifest",
                        manifest,
                        "options",
                        options,
                        "context",
                        context);
        if (stateChange != null) {
            payload.put("state_change", stateChange);
        }
        return Reply.task(
                tasks.enqueue(
                                UPDATE,
                                "create deployment" + suffix,
                                call.userName(),
                                deployment,
                                call.contextId(),
                                payload)
                        .id());
    }

    private Reply diff(Call call) throws IOException {
        YamlDocument after = NamedConfigsApi.mapping(call.text());
        Map<String, Object> context = DeployRequest.currentContext(store);
        boolean redact = !"false".equals(call.query("redact"));
        try {
            return Reply.json(
                    Json.of(
                            "context",
                            context,
                            "diff",
                            new DeploymentDiff(store)
                                    .lines(call.parameter("d"), after, context, redact)));
        } catch (RuntimeException e) {
            return Reply.json(
                    Json.of(
                            "diff",
                            List.of(),
                            "error",
                            "Unable to diff manifest: " + Failures.message(e)));
        }
    }

    private Reply delete(Call call) {
        Rows.Deployment row = find(call);
        Map<String, Object> options = Json.of("force", call.flag("force"));
        return Reply.task(
                tasks.enqueue(
                                DELETE,
                                "delete deployment " + row.name(),
                                call.userName(),
                                row.name(),
                                call.contextId(),
                                Json.of("deployment", row.name(), "options", options))
                        .id());
    }

    private Reply variables(Call call) {
        String prefix = "/" + identity.name() + "/" + find(call).name() + "/";
        return Reply.json(
                store.read(s -> s.variables(prefix)).stream()
                        .map(v -> Json.of("id", Long.toString(v.id()), "name", v.name()))
                        .toList());
    }

    private Reply changeState(Call call) throws IOException {
        Rows.Deployment row = find(call);
        String state = call.query("state");
        if (state != null && !STATES.contains(state)) {
            throw new ProblemException(140007, "Invalid state '" + state + "'");
        }
        Map<String, Object> options = DeployRequest.options(call);
        String group = call.parameter("g");
        if (call.flag("skip_drain")) {
            options.put("skip_drain", group);
        }
        boolean recreate = "recreate".equals(state);
        DeployRequest.createdBefore(call, recreate, "state=recreate", options);
        String given = call.text();
        String manifest = given.isBlank() ? row.manifest() : given;
        if (manifest == null) {
            throw new ProblemException(440001, "No successful BOSH deployment manifest available");
        }
        NamedConfigsApi.mapping(manifest);
        Map<String, Object> context =
                given.isBlank()
                        ? Json.of(
                                "cloud_config_ids",
                                row.cloudConfigIds(),
                                "runtime_config_ids",
                                List.of())
                        : DeployRequest.currentContext(store);
        String instance = call.parameters().containsKey("i") ? find(call, row).id().value() : null;
        Map<String, Object> change =
                state == null
                        ? null
                        : Json.of("state", state, "group", group, "instance", instance);
        return update(call, row.name(), manifest, options, context, change, "");
    }

    private Rows.Instance find(Call call, Rows.Deployment row) {
        return find(store, row.name(), call.parameter("g"), call.parameter("i"));
    }

    /**
     * @param which index or id
     */
    static Rows.Instance find(Store store, String deployment, String group, String which) {
        boolean index = which.matches("\\d{1,9}");
        if (!index && !which.matches("[0-9a-f]{8}-[0-9a-f-]{27}")) {
            throw new ProblemException(70002, "Invalid instance index or id '" + which + "'");
        }
        Optional<Rows.Instance> found =
                store.read(s -> s.instances(deployment)).stream()
                        .filter(i -> i.group().equals(group))
                        .filter(i ->
                                index
                                        ? i.index() == Integer.parseInt(which)
                                        : i.id().equals(new InstanceId(which)))
                        .findFirst();
        return found.orElseThrow(() ->
                new ProblemException(
                        70001,
                        "Instance '" + deployment + "/" + group + "/" + which + "' doesn't exist"));
    }

    private Reply instance(Call call) {
        Rows.Deployment row = find(call);
        Rows.Instance instance = find(call, row);
        List<String> disks =
                store.read(s -> s.disks(instance.id())).stream()
                        .filter(Rows.Disk::active)
                        .sorted(Comparator.comparing((Rows.Disk disk) -> disk.cid().value()))
                        .map(disk -> disk.cid().value())
                        .toList();
        return Reply.json(
                Json.of(
                        "deployment",
                        row.name(),
                        "job",
                        instance.group(),
                        "index",
                        instance.index(),
                        "id",
                        instance.id().value(),
                        "state",
                        instance.state(),
                        "disks",
                        disks));
    }

    private Reply ignore(Call call) throws IOException {
        Rows.Instance found = find(call, find(call));
        if (!(call.json().tree().get("ignore") instanceof Boolean ignored)) {
            throw new ProblemException(40000, "Property 'ignore' must be true or false");
        }
        store.update(s ->
                s.instance(found.id()).map(i -> i.ignored(ignored)).ifPresent(s::saveInstance));
        return new Reply.Empty(200);
    }

    private Reply scanAndFix(Call call) throws IOException {
        Rows.Deployment row = find(call);
        Fields jobs = call.json().object("jobs");
        if (InfoApi.resurrectionPaused(store)) {
            throw new ProblemException(410004, "Resurrection is paused");
        }
        return Reply.task(
                tasks.enqueue(
                                SCAN_AND_FIX,
                                "scan and fix",
                                call.userName(),
                                row.name(),
                                call.contextId(),
                                Json.of("deployment", row.name(), "jobs", jobs.tree()))
                        .id());
    }
}
