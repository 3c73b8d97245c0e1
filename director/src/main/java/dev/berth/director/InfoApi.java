package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Store;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** What the director is, and its switches: {@code /info}, resurrection, the environment. */
final class InfoApi {
    /** Setting of the store: {@code true} while people keep the resurrector from acting. */
    static final String RESURRECTION_PAUSED = "resurrection_paused";

    private final DirectorIdentity identity;
    private final Environment environment;
    private final Store store;

    InfoApi(DirectorIdentity identity, Environment environment, Store store) {
        this.identity = identity;
        this.environment = environment;
        this.store = store;
    }

    void addTo(Router router) {
        router.get("/info", Access.ANYONE, this::info);
        router.get("/berth/environment", Access.ADMIN, call -> Reply.json(environment.toTree()));
        router.get(
                "/resurrection",
                Access.ADMIN,
                call -> Reply.json(Json.of("resurrection", !resurrectionPaused(store))));
        router.on("PUT", "/resurrection", "application/json", Access.ADMIN, this::resurrection);
    }

    static boolean resurrectionPaused(Store store) {
        return store.read(s -> s.setting(RESURRECTION_PAUSED)).orElse("false").equals("true");
    }

    private Reply info(Call call) {
        Users.User user = call.user();
        return Reply.json(
                Json.of(
                        "name",
                        identity.name(),
                        "uuid",
                        identity.uuid(),
                        "version",
                        identity.version(),
                        "user",
                        user == null ? null : user.name(),
                        "cpi",
                        identity.cpi(),
                        "stemcell_os",
                        "-",
                        "stemcell_version",
                        "-",
                        "user_authentication",
                        Json.of("type", "basic", "options", Map.of()),
                        "features",
                        features()));
    }

    private static Map<String, Object> features() {
        Map<String, Object> off = Json.of("status", false);
        return Json.of(
                "local_dns",
                Json.of("status", false, "extras", Json.of("domain_name", "bosh")),
                "snapshots",
                off,
                "config_server",
                Json.of("status", true, "extras", Json.of("urls", List.of())));
    }

    private Reply resurrection(Call call) throws IOException {
        Object paused = call.json().tree().get("resurrection_paused");
        if (!(paused instanceof Boolean flag)) {
            throw new ProblemException(
                    40000, "Property 'resurrection_paused' must be true or false");
        }
        store.update(s -> s.putSetting(RESURRECTION_PAUSED, flag.toString()));
        return new Reply.Empty(200);
    }
}
