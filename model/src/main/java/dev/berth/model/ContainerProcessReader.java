package dev.berth.model;

import dev.berth.model.ContainerImage.Pull;
import dev.berth.model.ContainerProcess.EnvFile;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads what a container is made from, what runs in it, and where its output goes. */
record ContainerProcessReader(ContainerKeys keys) {
    private static final Pattern IMAGE =
            Pattern.compile(
                    "[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?"
                            + "(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
                            + "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?");
    private static final Pattern HOSTNAME =
            Pattern.compile("[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?");
    private static final Pattern PLATFORM = Pattern.compile("[a-z0-9_]+(/[a-z0-9_]+){0,2}");

    ContainerImage image() {
        String image = keys.text("image");
        boolean host = image != null && image.indexOf('/') >= 0;
        if (image != null && !(IMAGE.matcher(host ? image : "host/" + image).matches())) {
            keys.at("image")
                    .error(
                            "'" + image + "' is no image reference",
                            "such as registry.berth/shop/web:1.4; names are lower case");
        }
        String dockerfile = keys.text("dockerfile");
        ContainerBuild build = null;
        if (!keys.legacy() && keys.has("build")) {
            var reader = new ContainerBuildReader(keys);
            build = reader.build();
            dockerfile = reader.inline(dockerfile);
        }
        if (image == null && dockerfile == null && !keys.has("build")) {
            keys.section().spot().error("a container needs 'image', 'dockerfile' or 'build'", null);
        }
        if (keys.legacy()
                && Boolean.FALSE.equals(keys.optionalFlag("disable_content_trust"))
                && (image == null || !image.contains("@sha256:"))) {
            keys.at("disable_content_trust")
                    .error(
                            "signatures of images are not checked by the Docker Engine",
                            "name the image by its digest: image: NAME@sha256:...");
        }
        return new ContainerImage(
                image,
                null,
                dockerfile,
                keys.legacy()
                        ? null
                        : keys.text("platform", PLATFORM, "platform", "such as linux/arm64"),
                keys.legacy() ? Pull.MISSING : pull(dockerfile != null || build != null),
                null,
                build);
    }

    private Pull pull(boolean built) {
        String policy = keys.text("pull_policy");
        return switch (policy) {
            case null -> Pull.MISSING;
            case "missing", "if_not_present" -> Pull.MISSING;
            case "always" -> Pull.ALWAYS;
            case "never" -> Pull.NEVER;
            case "build" -> {
                if (!built) {
                    keys.at("pull_policy").error("there is nothing to build", "give 'build'");
                }
                yield Pull.MISSING;
            }
            case String other -> {
                boolean periodic = other.matches("daily|weekly|every_.*");
                keys.at("pull_policy")
                        .error(
                                periodic
                                        ? "images are not looked for by the clock: a deploy pins them"
                                        : "'" + other + "' is no pull_policy",
                                "missing, always or never");
                yield Pull.MISSING;
            }
        };
    }

    ContainerProcess process() {
        boolean legacy = keys.legacy();
        return new ContainerProcess(
                keys.command("command"),
                keys.command("entrypoint"),
                Collections.unmodifiableMap(keys.pairs(keys.key("environment", "env_vars"))),
                envFiles(),
                keys.text("user"),
                keys.text(keys.key("working_dir", "workdir")),
                keys.text("hostname", HOSTNAME, "host name", null),
                legacy ? null : keys.text("domainname", HOSTNAME, "domain name", null),
                legacy ? null : keys.optionalFlag("init"),
                !legacy && keys.flag("tty"),
                !legacy && keys.flag("stdin_open"),
                Collections.unmodifiableMap(keys.pairs("labels")),
                legacy ? Map.of() : Collections.unmodifiableMap(keys.pairs("annotations")),
                legacy ? null : keys.text("runtime"));
    }

    private List<EnvFile> envFiles() {
        var files = new ArrayList<EnvFile>();
        for (Spot item : keys.oneOrList("env_file")) {
            Section file = item.isMap() && !keys.legacy() ? item.section() : null;
            if (file != null) {
                file.checkKeys(Set.of("path", "required", "format"), Map.of());
            }
            String path = file == null ? ContainerKeys.textOf(item) : file.string("path");
            if (path.isEmpty()) {
                continue;
            }
            if (!path.startsWith("/") || path.contains("..")) {
                item.error(
                        "'" + path + "' is a file beside the manifest, which no VM has",
                        "write its lines as 'environment', or give the absolute path of a file on"
                                + " the VM");
                continue;
            }
            String format = file == null ? null : file.optionalString("format");
            if (format != null && !format.equals("raw")) {
                item.error("'" + format + "' is no format", "raw, or leave it out");
            }
            boolean optional = file != null && !file.flag("required", true);
            files.add(new EnvFile(path, optional, keys.legacy() || format != null));
        }
        return List.copyOf(files);
    }

    ContainerLogging logging() {
        boolean old = keys.has("log_driver") || keys.has("log_options");
        if (!keys.legacy() && old && keys.has("logging")) {
            keys.at("logging")
                    .error("'logging' and 'log_driver' mean the same; give one of them", null);
        }
        if (keys.legacy() || old) {
            return new ContainerLogging(
                    keys.text("log_driver"),
                    Collections.unmodifiableMap(keys.pairs("log_options")));
        }
        ContainerKeys logging = keys.below("logging");
        logging.section().checkKeys(Set.of("driver", "options"), Map.of());
        return new ContainerLogging(
                logging.text("driver"), Collections.unmodifiableMap(logging.pairs("options")));
    }
}
