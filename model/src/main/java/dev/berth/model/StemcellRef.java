package dev.berth.model;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A stemcell as a manifest asks for it.
 *
 * @param operatingSystem null when asked for by name
 * @param name null when asked for by operating system; wins when both are given
 * @param version exact, {@code latest} or {@code PREFIX.latest}
 */
public record StemcellRef(
        String alias, @Nullable String operatingSystem, @Nullable String name, String version) {

    /** A stemcell that is there. */
    public record Available(String name, String operatingSystem, String version) {}

    /** The newest available one that fits. */
    public Optional<Available> resolve(List<Available> available) {
        return available.stream()
                .filter(this::isOfKind)
                .filter(s -> versionFits(s.version()))
                .max(
                        Comparator.comparing(Available::version, VersionOrder.INSTANCE)
                                .thenComparing(Available::name));
    }

    /** Why nothing available fits, in BOSH's words. */
    public String missing(List<Available> available) {
        boolean kindThere = available.stream().anyMatch(this::isOfKind);
        String what =
                name != null
                        ? "Stemcell '" + name + "'"
                        : "Stemcell with Operating System '" + operatingSystem + "'";
        if (version.equals("latest") || version.endsWith(".latest") && !kindThere) {
            return what + " doesn't exist";
        }
        if (version.endsWith(".latest")) {
            return what + " exists, but version with prefix '" + prefix() + "' not found.";
        }
        return name != null
                ? "Stemcell '" + name + "/" + version + "' doesn't exist"
                : "Stemcell version '%s' for OS '%s' doesn't exist"
                        .formatted(version, operatingSystem);
    }

    private boolean isOfKind(Available stemcell) {
        return name != null
                ? stemcell.name().equals(name)
                : stemcell.operatingSystem().equals(operatingSystem);
    }

    private boolean versionFits(String candidate) {
        if (version.equals("latest")) {
            return true;
        }
        if (!version.endsWith(".latest")) {
            return candidate.equals(version);
        }
        String prefix = prefix();
        return candidate.equals(prefix)
                || candidate.startsWith(prefix)
                        && "-.+".indexOf(candidate.charAt(prefix.length())) >= 0;
    }

    private String prefix() {
        return version.substring(0, version.length() - ".latest".length());
    }
}
