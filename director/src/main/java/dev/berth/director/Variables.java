package dev.berth.director;

import dev.berth.model.Clock;
import dev.berth.model.Digests;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.model.VariableDefinition;
import dev.berth.model.VariableSource;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The values behind {@code ((name))}: generated when a deploy first asks for them, kept sealed in
 * the store, never given out but to the executor. Names are absolute: {@code
 * /DIRECTOR/DEPLOYMENT/NAME}. Thread-safe.
 */
public final class Variables implements VariableSource {
    private final Store store;
    private final SecretBox box;
    private final String director;
    private final Clock clock;
    private final VariableMaker maker;

    public Variables(Store store, SecretBox box, DirectorIdentity identity, Clock clock) {
        this.store = store;
        this.box = box;
        this.director = identity.name();
        this.clock = clock;
        this.maker = new VariableMaker(clock);
    }

    /** A value with what it was made from. */
    private record Kept(Object value, String type, String options) {}

    @Override
    public Optional<Object> get(String absoluteName) {
        return kept(absoluteName).map(Kept::value);
    }

    /** The same values; each that is looked up is hidden in all that the task writes. */
    public VariableSource hiddenIn(TaskLog log) {
        return name -> {
            Optional<Object> value = get(name);
            value.ifPresent(v -> hide(v, log));
            return value;
        };
    }

    private static void hide(@Nullable Object value, TaskLog log) {
        switch (value) {
            case String text -> log.hide(text);
            case Map<?, ?> map -> map.values().forEach(part -> hide(part, log));
            case List<?> list -> list.forEach(part -> hide(part, log));
            case null, default -> {}
        }
    }

    private Optional<Kept> kept(String absoluteName) {
        return store.read(s -> s.variable(absoluteName)).map(this::opened);
    }

    private Kept opened(Rows.Variable row) {
        Map<String, Object> tree = Json.object(box.unseal(row.name(), row.sealed()));
        Object value = tree.get("value");
        if (value == null) {
            throw new IllegalStateException("variable " + row.name() + " has no value");
        }
        return new Kept(value, row.type(), String.valueOf(tree.get("options")));
    }

    /** Stores a value given by a person; it becomes the current one. */
    public void set(String absoluteName, String type, Object value) {
        save(absoluteName, type, value, "");
    }

    private void save(String name, String type, Object value, String options) {
        String sealed = box.seal(name, Json.write(Json.of("value", value, "options", options)));
        store.write(s -> s.addVariable(name, type, sealed, clock.now()));
    }

    /** All values of a deployment, in clear: for a backup, which seals them. */
    List<Object> exported(String deployment) {
        String prefix = absolute(deployment, "");
        var all = new ArrayList<Object>();
        for (Rows.Variable row : store.read(s -> s.variables(prefix))) {
            all.add(
                    Json.of(
                            "name",
                            row.name().substring(prefix.length()),
                            "type",
                            row.type(),
                            "sealed",
                            box.unseal(row.name(), row.sealed())));
        }
        return all;
    }

    /** Makes exported values those of a deployment, where it has none of that name. */
    void imported(String deployment, List<Fields> values) {
        for (Fields value : values) {
            String name = absolute(deployment, value.string("name"));
            if (store.read(s -> s.variable(name)).isEmpty()) {
                String sealed = box.seal(name, value.string("sealed"));
                store.write(s -> s.addVariable(name, value.string("type"), sealed, clock.now()));
            }
        }
    }

    /** A name as written in a manifest, made absolute. */
    public String absolute(String deployment, String name) {
        return name.startsWith("/") ? name : "/" + director + "/" + deployment + "/" + name;
    }

    /**
     * Makes the values a deployment asks for, as their update modes say; signers before what they
     * sign, in whatever order they are written.
     *
     * @return absolute names of the values made now
     * @throws ProblemException with every definition that could not be made; those before it are
     *     kept
     */
    public synchronized List<String> generate(
            String deployment, List<VariableDefinition> definitions) {
        var byName = new LinkedHashMap<String, VariableDefinition>();
        definitions.forEach(d -> byName.put(absolute(deployment, d.name()), d));
        var round = new Round(deployment, byName);
        byName.keySet().forEach(round::generate);
        if (!round.problems.isEmpty()) {
            throw new ProblemException(round.problems);
        }
        return List.copyOf(round.made);
    }

    /** One pass over the definitions of one deployment. */
    private final class Round {
        private final String deployment;
        private final Map<String, VariableDefinition> definitions;
        private final Set<String> done = new LinkedHashSet<>();
        private final Set<String> under = new LinkedHashSet<>();
        private final List<String> made = new ArrayList<>();
        private final List<Problem> problems = new ArrayList<>();

        private Round(String deployment, Map<String, VariableDefinition> definitions) {
            this.deployment = deployment;
            this.definitions = definitions;
        }

        private void generate(String name) {
            VariableDefinition definition = definitions.get(name);
            if (definition == null || done.contains(name)) {
                return;
            }
            if (!under.add(name)) {
                problem(name, "its CA is signed by itself: " + String.join(" -> ", under));
                return;
            }
            String signer = signer(definition);
            if (signer != null) {
                generate(signer);
            }
            under.remove(name);
            if (done.add(name)) {
                make(name, definition, signer);
            }
        }

        private @Nullable String signer(VariableDefinition definition) {
            return definition.type().equals("certificate")
                            && definition.options().get("ca") instanceof String ca
                    ? absolute(deployment, ca)
                    : null;
        }

        private void make(String name, VariableDefinition definition, @Nullable String signer) {
            String options = Digests.sha256(Json.canonical(definition.options()));
            Optional<Kept> kept = kept(name);
            boolean keep =
                    kept.isPresent()
                            && switch (definition.updateMode()) {
                                case NO_OVERWRITE -> true;
                                case OVERWRITE -> false;
                                case CONVERGE ->
                                        kept.get().options().equals(options)
                                                && kept.get().type().equals(definition.type());
                            };
            if (keep) {
                return;
            }
            try {
                Object value =
                        maker.make(
                                definition.type(),
                                definition.options(),
                                signer == null ? null : signedBy(signer));
                save(name, definition.type(), value, options);
                made.add(name);
            } catch (IllegalArgumentException e) {
                problem(name, Failures.message(e));
            }
        }

        private Map<String, Object> signedBy(String signer) {
            return get(signer)
                    .filter(Map.class::isInstance)
                    .map(Json::asObject)
                    .orElseThrow(() ->
                            new IllegalArgumentException(
                                    "there is no CA '"
                                            + signer
                                            + "'; define it as a certificate with is_ca"));
        }

        private void problem(String name, String why) {
            problems.add(new Problem(540005, "variable '" + name + "'", why, null));
        }
    }
}
