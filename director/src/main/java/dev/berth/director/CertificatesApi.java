package dev.berth.director;

import dev.berth.model.Json;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * {@code GET /certificates}: which ends when. {@code POST /certificates/renew} and {@code POST
 * /certificates/rotate_ca}: tasks.
 */
final class CertificatesApi {
    private final CertificateKeeper keeper;
    private final Tasks tasks;

    CertificatesApi(CertificateKeeper keeper, Tasks tasks) {
        this.keeper = keeper;
        this.tasks = tasks;
    }

    void addTo(Router router) {
        router.get(
                "/certificates",
                Access.READ,
                call ->
                        Reply.json(
                                Json.of(
                                        "rotating",
                                        keeper.isRotating(),
                                        "certificates",
                                        keeper.list())));
        router.on(
                "POST",
                "/certificates/renew",
                "application/json",
                Access.ADMIN,
                call ->
                        begin(
                                call,
                                CertificateKeeper.RENEW,
                                "renew certificates",
                                new LinkedHashMap<>()));
        router.on(
                "POST",
                "/certificates/rotate_ca",
                "application/json",
                Access.ADMIN,
                call -> begin(call, CertificateKeeper.ROTATE, "rotate ca", keeper.rotation()));
    }

    private Reply begin(Call call, String type, String words, Map<String, Object> payload) {
        return Reply.task(
                tasks.enqueue(type, words, call.userName(), null, call.contextId(), payload).id());
    }
}
