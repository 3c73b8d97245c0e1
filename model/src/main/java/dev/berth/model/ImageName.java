package dev.berth.model;

import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An image reference taken apart, short names written out as every engine understands them: {@code
 * postgres} is {@code docker.io/library/postgres:latest}.
 *
 * @param host with its port, if any; lower case
 * @param repository without the host
 * @param tag null when none was given
 * @param digest {@code sha256:...}; null when none was given. Beside a tag it is what counts
 */
public record ImageName(
        String host, String repository, @Nullable String tag, @Nullable String digest) {
    public static final String DOCKER_HUB = "docker.io";

    private static final Set<String> NAMES_OF_DOCKER_HUB =
            Set.of("index.docker.io", "registry-1.docker.io", "registry.hub.docker.com");

    /** Takes what manifests accept as {@code image}; does not check it. */
    public static ImageName parse(String reference) {
        int at = reference.indexOf('@');
        String digest = at < 0 ? null : reference.substring(at + 1);
        String named = at < 0 ? reference : reference.substring(0, at);
        int colon = named.lastIndexOf(':');
        boolean tagged = colon > named.lastIndexOf('/');
        String tag = tagged ? named.substring(colon + 1) : null;
        String path = tagged ? named.substring(0, colon) : named;
        int slash = path.indexOf('/');
        String first = slash < 0 ? "" : path.substring(0, slash);
        boolean hosted = first.matches(".*[.:].*") || first.equals("localhost");
        String host = hosted ? host(first) : DOCKER_HUB;
        String repository = hosted ? path.substring(slash + 1) : path;
        boolean official = host.equals(DOCKER_HUB) && repository.indexOf('/') < 0;
        return new ImageName(host, official ? "library/" + repository : repository, tag, digest);
    }

    /** A registry's host as it is compared: lower case, Docker Hub under its one name. */
    public static String host(String written) {
        String host = written.toLowerCase(Locale.ROOT);
        return NAMES_OF_DOCKER_HUB.contains(host) ? DOCKER_HUB : host;
    }

    /** Whether the environment's own registry has it. */
    public boolean isOfEnvironment() {
        return host.equals(EnvironmentFile.REGISTRY_NAME);
    }

    /** Tag or digest, {@code latest} when neither was given. */
    public String version() {
        if (digest != null) {
            return digest;
        }
        return tag == null ? "latest" : tag;
    }

    /** {@code host/repository}, without tag and digest. */
    public String place() {
        return host + "/" + repository;
    }

    /**
     * The repository of the environment's registry that holds what comes from this one: {@code
     * outside/HOST/REPOSITORY}, where a port's colon becomes an underscore.
     */
    public String repositoryInside() {
        return "outside/" + host.replace(':', '_') + "/" + repository;
    }

    /** In full, as an engine or a tool is given it. */
    public String text() {
        return digest != null ? place() + "@" + digest : place() + ":" + version();
    }
}
