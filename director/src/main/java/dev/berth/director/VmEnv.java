package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.wire.AgentSettings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The env that create_vm carries: a group's own with the director's additions. */
final class VmEnv {
    private VmEnv() {}

    /** Of an instance's VM; the group's own keys win, as in BOSH. */
    static Map<String, Object> of(
            Hands hands, DeployScope scope, String group, AgentSettings.Certificate certificate) {
        var env = new LinkedHashMap<>(scope.content(group).env());
        Map<String, Object> bosh = bosh(hands, env, certificate);
        if (!scope.tags().isEmpty()) {
            bosh.put("tags", scope.tags());
        }
        String d = hands.directorName();
        String p = scope.deployment();
        bosh.put("group", canonical(d + "-" + p + "-" + group));
        bosh.put(
                "groups",
                List.of(
                        canonical(d),
                        canonical(p),
                        canonical(group),
                        canonical(d + "-" + p),
                        canonical(p + "-" + group),
                        canonical(d + "-" + p + "-" + group)));
        env.put("bosh", bosh);
        return env;
    }

    /** Of a spare VM: nobody knows yet what it will be a part of. */
    static Map<String, Object> ofSpare(
            Hands hands, Map<String, Object> own, AgentSettings.Certificate certificate) {
        var env = new LinkedHashMap<>(own);
        env.put("bosh", bosh(hands, env, certificate));
        return env;
    }

    private static Map<String, Object> bosh(
            Hands hands, Map<String, Object> env, AgentSettings.Certificate certificate) {
        var bosh = new LinkedHashMap<>(hands.welcome().boshEnv());
        var mbus = new LinkedHashMap<>(Json.asObject(bosh.getOrDefault("mbus", Map.of())));
        mbus.put(
                "cert",
                Json.of(
                        "ca",
                        certificate.ca(),
                        "certificate",
                        certificate.certificate(),
                        "private_key",
                        certificate.privateKey()));
        if (env.get("bosh") instanceof Map<?, ?> own) {
            bosh.putAll(Json.asObject(own));
        }
        bosh.put("mbus", mbus);
        return bosh;
    }

    private static String canonical(String name) {
        return name.toLowerCase(Locale.ROOT).replace('_', '-').replaceAll("[^a-z0-9-]", "");
    }
}
