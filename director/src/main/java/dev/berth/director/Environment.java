package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.model.Secret;
import java.util.Map;

/**
 * What an operator's machine needs beyond the API: where to push images.
 *
 * @param registryName host part of image references in manifests
 * @param registryAddress {@code host:port} where it listens
 * @param registryCa PEM of the authority its certificate is signed by
 */
public record Environment(
        String registryName,
        String registryAddress,
        String registryCa,
        String registryUser,
        Secret registryPassword) {
    Map<String, Object> toTree() {
        return Json.of(
                "registry",
                Json.of(
                        "name",
                        registryName,
                        "address",
                        registryAddress,
                        "ca",
                        registryCa,
                        "username",
                        registryUser,
                        "password",
                        registryPassword.reveal()));
    }
}
