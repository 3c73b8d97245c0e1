package dev.berth.model;

import dev.berth.model.ContainerSpec.Dependency;
import dev.berth.model.ContainerSpec.Healthcheck;
import dev.berth.model.ContainerSpec.Link;
import dev.berth.model.ContainerSpec.PortBinding;
import dev.berth.model.ContainerSpec.Restart;
import dev.berth.model.ContainerSpec.Volume;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads the keys that both notations of a container share.
 *
 * @param legacy whether lists may be comma separated text and {@code $} stays as it is: the
 *     notation of the docker release
 */
record ContainerSection(Section section, boolean legacy) {
    static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}");
    private static final Pattern IMAGE =
            Pattern.compile(
                    "[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?"
                            + "(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
                            + "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?");
    private static final Pattern HOSTNAME =
            Pattern.compile("[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?");
    private static final Pattern ENVIRONMENT_NAME = Pattern.compile("[^=\\s\\x00]+");
    private static final long LEAST_MEMORY = 6L << 20;

    /** Of two keys for one thing the one that is given; giving both is a problem. */
    String either(String one, String other) {
        if (section.has(one) && section.has(other)) {
            section.at(other)
                    .error(
                            "'" + one + "' and '" + other + "' mean the same; give one of them",
                            null);
        }
        return section.has(one) ? one : other;
    }

    /** Runs a reader of small notations; its complaint becomes a problem of the place. */
    private static <T> @Nullable T reading(Spot spot, Function<String, T> reader, String text) {
        try {
            return reader.apply(text);
        } catch (IllegalArgumentException e) {
            spot.error(String.valueOf(e.getMessage()), null);
            return null;
        }
    }

    String name() {
        String name = section.string("name");
        if (!name.isEmpty() && !NAME.matcher(name).matches()) {
            section.at("name")
                    .error(
                            "'" + name + "' is no container name",
                            "letters, digits, '_', '.', '-'; at least two characters, the first a"
                                    + " letter or digit");
        }
        return name;
    }

    @Nullable String image() {
        String image = section.optionalString("image");
        boolean host = image != null && image.indexOf('/') >= 0;
        if (image != null && !(IMAGE.matcher(host ? image : "host/" + image).matches())) {
            section.at("image")
                    .error(
                            "'" + image + "' is no image reference",
                            "such as registry.berth/shop/web:1.4; names are lower case");
        }
        if (image == null && !section.has("dockerfile")) {
            section.spot().error("a container needs 'image' or 'dockerfile'", null);
        }
        return image;
    }

    @Nullable String text(String key) {
        return section.optionalString(key);
    }

    @Nullable String hostname() {
        String hostname = section.optionalString("hostname");
        if (hostname != null && !HOSTNAME.matcher(hostname).matches()) {
            section.at("hostname").error("'" + hostname + "' is no host name", null);
        }
        return hostname;
    }

    /** A command: an array as it is, text split like a shell does. */
    @Nullable List<String> command(String key) {
        if (!section.has(key)) {
            return null;
        }
        Spot spot = section.at(key);
        if (spot.isList()) {
            return spot.items().stream()
                    .map(s -> dollars(s.isScalar() ? s.text() : s.string()))
                    .toList();
        }
        List<String> words = reading(spot, ContainerFormats::words, spot.string());
        return words == null ? List.of() : words.stream().map(this::dollars).toList();
    }

    /** In Compose's notation a dollar is written twice. */
    private String dollars(String text) {
        return legacy ? text : text.replace("$$", "$");
    }

    /** Elements of a list; a text is split at commas where the docker release does. */
    private List<Spot> list(String key) {
        if (!section.has(key)) {
            return List.of();
        }
        Spot spot = section.at(key);
        if (!legacy || !(spot.value() instanceof String text)) {
            return spot.items();
        }
        var items = new ArrayList<Spot>();
        for (String part : text.split(",")) {
            if (!part.isBlank()) {
                items.add(new Spot(part.strip(), spot.path(), spot.mark(), spot.findings()));
            }
        }
        return items;
    }

    List<String> names(String key) {
        return list(key).stream().map(Spot::string).toList();
    }

    /** {@code [K=V]} or {@code {K: V}}. */
    Map<String, String> pairs(String key) {
        var pairs = new LinkedHashMap<String, String>();
        Spot spot = section.at(key);
        if (spot.isMap()) {
            Section map = spot.section();
            for (String name : map.tree().keySet()) {
                pair(map.at(name), name, map.at(name), pairs);
            }
            return pairs;
        }
        for (Spot item : list(key)) {
            String text = item.isScalar() ? item.text() : item.string();
            int equals = text.indexOf('=');
            if (equals < 0) {
                pair(item, text, new Spot(null, item.path(), item.mark(), item.findings()), pairs);
            } else {
                var value =
                        new Spot(
                                text.substring(equals + 1),
                                item.path(),
                                item.mark(),
                                item.findings());
                pair(item, text.substring(0, equals), value, pairs);
            }
        }
        return pairs;
    }

    private void pair(Spot at, String name, Spot value, Map<String, String> pairs) {
        if (!ENVIRONMENT_NAME.matcher(name).matches()) {
            at.error("a name is empty or has blanks or '='", "write NAME=VALUE or NAME: VALUE");
        } else if (pairs.containsKey(name)) {
            at.error("'" + name + "' is given twice", null);
        } else if (value.isScalar()) {
            pairs.put(name, dollars(value.text()));
        } else if (value.value() == null && legacy) {
            at.warning("'" + name + "' has no value and is left out", null);
        } else if (value.value() == null) {
            at.error(
                    "'" + name + "' has no value",
                    "there is no shell to take it from; write "
                            + name
                            + "=VALUE or a ((variable))");
        } else {
            value.wrongType("String");
        }
    }

    List<PortBinding> ports(String key) {
        var ports = new ArrayList<PortBinding>();
        for (Spot item : list(key)) {
            List<PortBinding> read =
                    item.isMap() && !legacy
                            ? longPort(item.section())
                            : reading(item, ContainerFormats::ports, item.string());
            if (read != null) {
                ports.addAll(read);
            }
        }
        return List.copyOf(ports);
    }

    private static @Nullable List<PortBinding> longPort(Section port) {
        port.checkKeys(
                Set.of(
                        "target",
                        "published",
                        "host_ip",
                        "protocol",
                        "mode",
                        "name",
                        "app_protocol"),
                Map.of());
        String target = port.string("target");
        String published = port.has("published") ? port.string("published") : "";
        String ip = port.has("host_ip") ? port.string("host_ip") : "";
        String protocol = port.has("protocol") ? port.string("protocol") : "tcp";
        String host = ip.indexOf(':') >= 0 ? "[" + ip + "]" : ip;
        String text =
                (host.isEmpty() ? "" : host + ":")
                        + (published.isEmpty() && host.isEmpty() ? "" : published + ":");
        return target.isEmpty()
                ? null
                : reading(port.spot(), ContainerFormats::ports, text + target + "/" + protocol);
    }

    List<Volume> volumes(String container) {
        var volumes = new ArrayList<Volume>();
        for (Spot item : list("volumes")) {
            boolean anonymous = legacy && item.isScalar() && item.text().indexOf(':') < 0;
            Volume volume;
            if (anonymous) {
                volume = reading(item, t -> VolumeFormats.anonymous(container, t), item.string());
                item.warning(
                        "an anonymous volume: it is kept on the ephemeral disk and lost with the VM",
                        "give it a name to keep it: data:" + item.text());
            } else if (item.isMap() && !legacy) {
                volume = longVolume(item.section());
            } else {
                volume = reading(item, VolumeFormats::parse, item.string());
            }
            if (volume != null) {
                volumes.add(volume);
            }
        }
        boundVolumes(container, volumes);
        for (Volume volume : volumes) {
            if (volumes.stream().filter(v -> v.target().equals(volume.target())).count() > 1) {
                section.spot().error("two volumes are mounted at '" + volume.target() + "'", null);
            }
        }
        return List.copyOf(volumes);
    }

    private void boundVolumes(String container, List<Volume> volumes) {
        List<Spot> bound = list("bind_volumes");
        for (Spot item : bound) {
            Volume volume = reading(item, t -> VolumeFormats.bound(container, t), item.string());
            if (volume != null) {
                volumes.add(volume);
            }
        }
        if (bound.size() > 1) {
            String what = "all paths of 'bind_volumes' are one and the same folder of the disk";
            String remedy = "name a volume for each path: volumes: [data:/path, more:/other]";
            if (legacy) {
                section.at("bind_volumes").warning(what, remedy);
            } else {
                section.at("bind_volumes").error(what, remedy);
            }
        }
    }

    private static @Nullable Volume longVolume(Section volume) {
        volume.checkKeys(
                Set.of("type", "source", "target", "read_only", "bind", "volume", "consistency"),
                Map.of());
        String type = volume.string("type");
        if (!type.isEmpty() && !type.equals("bind") && !type.equals("volume")) {
            volume.at("type")
                    .error(
                            "volumes of type '" + type + "' are not supported yet",
                            "bind or volume");
            return null;
        }
        if (volume.has("bind")) {
            volume.section("bind").checkKeys(Set.of("create_host_path", "selinux"), Map.of());
        }
        if (volume.has("volume")) {
            volume.section("volume").checkKeys(Set.of("nocopy", "labels"), Map.of());
        }
        String source = volume.string("source");
        String target = volume.string("target");
        boolean readOnly = volume.flag("read_only", false);
        return source.isEmpty() || target.isEmpty()
                ? null
                : reading(volume.spot(), t -> VolumeFormats.of(source, t, readOnly), target);
    }

    List<Dependency> dependencies() {
        Spot spot = section.at("depends_on");
        var dependencies = new ArrayList<Dependency>();
        if (!spot.isMap() || legacy) {
            for (String name : names("depends_on")) {
                // old manifests could name the daemon, which is always there first
                if (!(legacy && name.equals("docker"))) {
                    dependencies.add(
                            new Dependency(name, Dependency.Condition.STARTED, true, true));
                }
            }
            return List.copyOf(dependencies);
        }
        Section map = spot.section();
        for (String name : map.tree().keySet()) {
            Section edge = map.section(name);
            edge.checkKeys(Set.of("condition", "restart", "required"), Map.of());
            dependencies.add(
                    new Dependency(
                            name,
                            condition(edge),
                            edge.flag("restart", true),
                            edge.flag("required", true)));
        }
        return List.copyOf(dependencies);
    }

    private static Dependency.Condition condition(Section edge) {
        return switch (edge.optionalString("condition")) {
            case null -> Dependency.Condition.STARTED;
            case "service_started" -> Dependency.Condition.STARTED;
            case "service_healthy" -> Dependency.Condition.HEALTHY;
            case "service_completed_successfully" -> Dependency.Condition.COMPLETED;
            case String other -> {
                edge.at("condition")
                        .error(
                                "'" + other + "' is no condition",
                                "service_started, service_healthy or service_completed_successfully");
                yield Dependency.Condition.STARTED;
            }
        };
    }

    List<Link> links() {
        var links = new ArrayList<Link>();
        for (String text : names("links")) {
            int colon = text.indexOf(':');
            String target = colon < 0 ? text : text.substring(0, colon);
            links.add(new Link(target, colon < 0 ? text : text.substring(colon + 1)));
        }
        return List.copyOf(links);
    }

    @Nullable Long memory(String key) {
        if (!section.has(key)) {
            return null;
        }
        Spot spot = section.at(key);
        Long bytes = reading(spot, ContainerFormats::bytes, spot.string());
        if (bytes != null && bytes != 0 && bytes < LEAST_MEMORY) {
            spot.error("a container needs at least 6m of memory", null);
        }
        return bytes == null || bytes == 0 ? null : bytes;
    }

    boolean flag(String key) {
        Spot spot = section.at(key);
        if (legacy && spot.value() instanceof String text && text.matches("true|false")) {
            return Boolean.parseBoolean(text);
        }
        return section.flag(key, false);
    }

    @Nullable Duration duration(String key) {
        if (!section.has(key)) {
            return null;
        }
        Spot spot = section.at(key);
        return reading(spot, ContainerFormats::duration, spot.string());
    }

    private Duration duration(String key, Duration otherwise) {
        Duration duration = duration(key);
        return duration == null ? otherwise : duration;
    }

    Restart restart(Restart otherwise) {
        Spot spot = section.at("restart");
        if (spot.value() == null) {
            return otherwise;
        }
        // unquoted, no is false in YAML 1.1
        String text = Boolean.FALSE.equals(spot.value()) ? "no" : spot.string();
        if (text.matches("on-failure:\\d{1,6}")) {
            return new Restart(
                    Restart.Policy.ON_FAILURE,
                    Integer.parseInt(text.substring(text.indexOf(':') + 1)));
        }
        return switch (text) {
            case "no" -> new Restart(Restart.Policy.NO, 0);
            case "always" -> new Restart(Restart.Policy.ALWAYS, 0);
            case "on-failure" -> new Restart(Restart.Policy.ON_FAILURE, 0);
            case "unless-stopped" -> new Restart(Restart.Policy.UNLESS_STOPPED, 0);
            case "" -> otherwise;
            default -> {
                spot.error(
                        "'" + text + "' is no restart policy",
                        "no, always, on-failure, on-failure:5 or unless-stopped");
                yield otherwise;
            }
        };
    }

    @Nullable Healthcheck healthcheck() {
        if (!section.has("healthcheck")) {
            return null;
        }
        Section check = section.section("healthcheck");
        var keys = new ContainerSection(check, legacy);
        check.checkKeys(
                Set.of("test", "interval", "timeout", "retries", "start_period", "disable"),
                Map.of("start_interval", "it is not supported yet; 'interval' is used"));
        if (check.flag("disable", false)) {
            return new Healthcheck(List.of("NONE"), Duration.ZERO, Duration.ZERO, 0, Duration.ZERO);
        }
        long retries = check.has("retries") ? check.integer("retries") : 0;
        if (retries < 0 || retries > 10_000) {
            check.at("retries").error("'retries' must be 0 to 10000", null);
        }
        return new Healthcheck(
                test(check),
                keys.duration("interval", Duration.ZERO),
                keys.duration("timeout", Duration.ZERO),
                (int) retries,
                keys.duration("start_period", Duration.ZERO));
    }

    private List<String> test(Section check) {
        if (!check.has("test")) {
            return List.of(); // the image's own test, with other times
        }
        Spot spot = check.at("test");
        if (!spot.isList()) {
            return List.of("CMD-SHELL", dollars(spot.string()));
        }
        List<String> test = spot.items().stream().map(s -> dollars(s.string())).toList();
        if (test.isEmpty() || !Set.of("NONE", "CMD", "CMD-SHELL").contains(test.getFirst())) {
            spot.error("a list must begin with NONE, CMD or CMD-SHELL", null);
        }
        return test;
    }
}
