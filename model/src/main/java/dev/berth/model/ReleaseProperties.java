package dev.berth.model;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the docker release's {@code containers} job was told beside its list of containers, up to
 * the releases of 2015: how its logs are kept and sent.
 */
final class ReleaseProperties {
    private ReleaseProperties() {}

    /** The old rotation, as the Engine rotates; what is not honoured gets a warning. */
    static ContainerLogging logging(Section properties) {
        warnOf(properties, "remote_syslog", "ship logs from /var/vcap/sys/log, or by 'log_driver'");
        Section docker = optional(properties, "docker");
        if (docker == null) {
            return ContainerLogging.DEFAULT;
        }
        for (String key : new String[] {"user", "group"}) {
            warnOf(docker, key, "there is no docker client that could run as somebody");
        }
        Section containers = optional(docker, "containers");
        Section rotate = containers == null ? null : optional(containers, "logrotate");
        if (rotate == null) {
            return ContainerLogging.DEFAULT;
        }
        warnOf(rotate, "frequency", "logs are rotated when they reach their size");
        var options = new LinkedHashMap<String, String>();
        if (rotate.has("size")) {
            options.put("max-size", rotate.at("size").string().toLowerCase(java.util.Locale.ROOT));
        }
        if (rotate.has("rotate")) {
            options.put("max-file", rotate.at("rotate").string());
        }
        return options.isEmpty()
                ? ContainerLogging.DEFAULT
                : new ContainerLogging("json-file", Map.copyOf(options));
    }

    private static @Nullable Section optional(Section section, String key) {
        return section.at(key).isMap() ? section.section(key) : null;
    }

    private static void warnOf(Section section, String key, String remedy) {
        if (section.has(key)) {
            section.at(key).warning("'" + key + "' has no effect", remedy);
        }
    }
}
