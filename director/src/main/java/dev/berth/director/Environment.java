package dev.berth.director;

import dev.berth.model.Json;
import dev.berth.model.Secret;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What an operator's machine needs beyond the API: where to push images.
 *
 * @param registryName host part of image references in manifests
 * @param registryAddress {@code host:port} where it listens
 * @param registryCa PEM of the authorities its certificate may be signed by now
 */
public record Environment(
        String registryName,
        String registryAddress,
        Supplier<String> registryCa,
        String registryUser,
        Secret registryPassword) {
    public Environment(
            String registryName,
            String registryAddress,
            String registryCa,
            String registryUser,
            Secret registryPassword) {
        this(registryName, registryAddress, () -> registryCa, registryUser, registryPassword);
    }

    Map<String, Object> toTree() {
        return Json.of(
                "registry",
                Json.of(
                        "name",
                        registryName,
                        "address",
                        registryAddress,
                        "ca",
                        registryCa.get(),
                        "username",
                        registryUser,
                        "password",
                        registryPassword.reveal()));
    }
}
