package dev.berth.cli;

import dev.berth.model.Fields;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An instance, or one container of it, as a person names it: {@code group/id}, {@code group/index},
 * or {@code group} where there is one instance; {@code /CONTAINER} after it.
 *
 * @param instance index or id
 */
record Inside(String deployment, String group, String instance, @Nullable String container) {
    private static final String WHICH = "\\d{1,9}|[0-9a-f]{8}-[0-9a-f-]{27}";

    /** Whether the words name a container, not a whole instance or group. */
    static boolean namesContainer(String words) {
        List<String> parts = List.of(words.split("/", -1));
        return parts.size() == 3 || parts.size() == 2 && !parts.get(1).matches(WHICH);
    }

    static Inside of(Api api, String deployment, String words) {
        var parts = new ArrayList<>(List.of(words.split("/", -1)));
        if (parts.size() > 3 || parts.stream().anyMatch(String::isEmpty)) {
            throw new CliException(
                    "'"
                            + words
                            + "' is not INSTANCE[/CONTAINER]: db/0, db/0/postgres, db/postgres");
        }
        String group = parts.removeFirst();
        String instance =
                !parts.isEmpty() && parts.getFirst().matches(WHICH) ? parts.removeFirst() : null;
        if (parts.size() > 1) {
            throw new CliException(
                    "'" + parts.getFirst() + "' is neither the index nor the id of an instance");
        }
        return new Inside(
                deployment,
                group,
                instance == null ? only(api, deployment, group) : instance,
                parts.isEmpty() ? null : parts.getFirst());
    }

    private static String only(Api api, String deployment, String group) {
        List<Fields> all =
                api.list("/deployments/" + deployment + "/instances").stream()
                        .map(i -> Fields.of(i, "instance"))
                        .toList();
        List<Fields> found = all.stream().filter(i -> i.string("job", "").equals(group)).toList();
        if (found.size() == 1) {
            return found.getFirst().string("id");
        }
        if (found.isEmpty()) {
            throw new CliException(
                    "deployment '"
                            + deployment
                            + "' has no instance group '"
                            + group
                            + "', only "
                            + all.stream().map(i -> i.string("job", "")).distinct().toList());
        }
        throw new CliException(
                "which one? "
                        + group
                        + " has "
                        + found.size()
                        + " instances: "
                        + group
                        + "/0, "
                        + group
                        + "/1, ...; see: berth instances -i");
    }

    String path() {
        return "/deployments/" + deployment + "/instances/" + group + "/" + instance;
    }

    String containerPath(String name) {
        return path() + "/containers/" + ChangeCommands.encoded(name);
    }

    /** The container of the words; without one the words are incomplete. */
    String requiredContainer() {
        if (container == null) {
            throw new CliException(
                    "which container? say "
                            + group
                            + "/"
                            + instance
                            + "/CONTAINER; see: berth containers");
        }
        return container;
    }

    /** Names of the wished and seen containers, or the one that was named. */
    List<String> containers(Api api) {
        if (container != null) {
            return List.of(container);
        }
        List<String> names =
                api.list("/deployments/" + deployment + "/containers").stream()
                        .map(c -> Fields.of(c, "container"))
                        .filter(c -> c.string("group", "").equals(group))
                        .filter(c ->
                                instance.equals(c.string("id", ""))
                                        || instance.equals(c.string("index", "")))
                        .map(c -> c.string("name"))
                        .toList();
        if (names.isEmpty()) {
            throw new CliException(group + "/" + instance + " has no containers");
        }
        return names;
    }
}
