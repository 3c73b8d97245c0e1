package dev.berth.model;

import org.jspecify.annotations.Nullable;

/**
 * How a registry outside of the environment is reached: an element of {@code registries}. Texts
 * hold placeholders until they are resolved.
 *
 * @param host with its port, if any; as {@link ImageName#host(String)} has it
 * @param username null when it is read without credentials
 * @param password null when it is read without credentials
 * @param ca PEM; null: the authorities that the director's host trusts
 * @param insecure plain HTTP, or a certificate that nobody checks
 */
public record RegistryLogin(
        String host,
        @Nullable Secret username,
        @Nullable Secret password,
        @Nullable Secret ca,
        boolean insecure) {
    public static RegistryLogin anonymous(String host) {
        return new RegistryLogin(host, null, null, null, false);
    }

    public boolean hasCredentials() {
        return username != null && password != null;
    }
}
