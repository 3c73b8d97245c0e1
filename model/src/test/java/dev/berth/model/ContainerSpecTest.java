package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The tree of a spec holds what is given and nothing else, and comes back as it went. */
class ContainerSpecTest {
    private static final ContainerSpec LEAST = ContainerSpec.of("web", ContainerImage.of("img:1"));

    /** What was wished arrives, whichever components are given. */
    @Property(tries = 300)
    void everySpecComesBackFromItsTree(@ForAll long seed) {
        ContainerSpec spec = any(seed);
        String text = Json.write(spec.toTree());
        ContainerSpec back = ContainerSpec.fromTree(Objects.requireNonNull(Json.parse(text)));
        assertThat(back).isEqualTo(spec);
        assertThat(back.digest()).isEqualTo(spec.digest());
    }

    /** Other specs have other digests. */
    @Property(tries = 300)
    void theDigestTellsSpecsApart(@ForAll long one, @ForAll long other) {
        ContainerSpec a = any(one);
        ContainerSpec b = any(other);
        assertThat(a.digest().equals(b.digest())).isEqualTo(a.equals(b));
    }

    /** A key that nobody gave is nowhere: keys that come later change no digest of today. */
    @Test
    void theLeastSpecIsTheLeastTree() {
        assertThat(Json.canonical(LEAST.toTree()))
                .isEqualTo("{\"image\":{\"reference\":\"img:1\"},\"name\":\"web\"}");
        // Written down, since a digest that changes by itself would restart every container.
        assertThat(LEAST.digest())
                .isEqualTo(
                        Digests.sha256("{\"image\":{\"reference\":\"img:1\"},\"name\":\"web\"}"));
    }

    /** Also below lists: a plain volume is what it was before volumes had options. */
    @Test
    void plainItemsArePlainTrees() {
        var volume =
                new ContainerStorage.Volume(
                        ContainerStorage.Volume.Kind.STORE, "volumes/data", "/data", false);
        ContainerSpec spec =
                LEAST.with(
                        new ContainerStorage(
                                List.of(volume),
                                List.of(),
                                Map.of(),
                                List.of(),
                                List.of(),
                                Map.of(),
                                false));
        assertThat(Json.canonical(spec.toTree().get("storage")))
                .isEqualTo("{\"volumes\":[{\"source\":\"volumes/data\",\"target\":\"/data\"}]}");
        assertThat(ContainerSpec.fromTree(spec.toTree())).isEqualTo(spec);
    }

    /** Everything that says nothing new is left out, at every level. */
    @Property(tries = 200)
    void treesHoldNothingEmpty(@ForAll long seed) {
        notEmpty(any(seed).toTree(), "");
    }

    private static void notEmpty(@Nullable Object tree, String path) {
        if (tree instanceof Map<?, ?> map) {
            map.forEach((key, value) -> {
                assertThat(value).as(path + "/" + key).isNotEqualTo(Map.of()).isNotNull();
                notEmpty(value, path + "/" + key);
            });
        } else if (tree instanceof List<?> list) {
            list.forEach(item -> notEmpty(item, path));
        }
    }

    /** Contents of secrets are in the tree that travels, and in nothing that is shown. */
    @Test
    void secretsTravelAndDoNotShow() {
        var file =
                new ContainerStorage.MountedFile(
                        "key", "/run/secrets/key", new Secret("pl4nted"), 0, 0, 0444);
        ContainerSpec spec = LEAST.with(storage(file));
        assertThat(Json.write(spec.toTree())).contains("pl4nted");
        assertThat(spec.toString() + spec.storage() + file + spec.process() + spec.order())
                .doesNotContain("pl4nted");
        var other =
                new ContainerStorage.MountedFile(
                        "key", "/run/secrets/key", new Secret("0ther"), 0, 0, 0444);
        assertThat(LEAST.with(storage(other)).digest()).isNotEqualTo(spec.digest());
    }

    private static ContainerStorage storage(ContainerStorage.MountedFile file) {
        return new ContainerStorage(
                List.of(), List.of(), Map.of(), List.of(file), List.of(), Map.of(), false);
    }

    @Test
    void whatIsNoSpecIsSaidToBeNone() {
        assertThatThrownBy(() -> ContainerSpec.fromTree(Map.of()))
                .hasMessageContaining("'name' should be a string");
        assertThatThrownBy(() ->
                        ContainerSpec.fromTree(
                                Json.of("name", "a", "order", Json.of("stop_grace_period", "9"))))
                .hasMessageContaining("container.order.stop_grace_period");
        assertThatThrownBy(() ->
                        ContainerSpec.fromTree(
                                Json.of("name", "a", "image", Json.of("pull", "SOMETIMES"))))
                .hasMessageContaining("container.image.pull");
    }

    // --- any spec

    private static ContainerSpec any(long seed) {
        var random = new Random(seed);
        ContainerSpec spec = (ContainerSpec) record(ContainerSpec.class, random);
        return new ContainerSpec(
                "c" + random.nextInt(9),
                spec.image(),
                spec.process(),
                spec.order(),
                spec.network(),
                spec.storage(),
                spec.resources(),
                spec.security(),
                spec.logging());
    }

    private static Object record(Class<?> type, Random random) {
        RecordComponent[] components = Objects.requireNonNull(type.getRecordComponents());
        var types = new Class<?>[components.length];
        var values = new @Nullable Object[components.length];
        try {
            Object standard = standard(type);
            for (int i = 0; i < components.length; i++) {
                types[i] = components[i].getType();
                boolean given = standard == null || random.nextInt(3) == 0;
                components[i].getAccessor().setAccessible(true);
                values[i] =
                        given
                                ? value(components[i].getGenericType(), random)
                                : components[i].getAccessor().invoke(standard);
            }
            var constructor = type.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static @Nullable Object standard(Class<?> type) throws IllegalAccessException {
        try {
            var field = type.getDeclaredField("DEFAULT");
            field.setAccessible(true);
            return field.get(null);
        } catch (NoSuchFieldException e) {
            return null;
        }
    }

    private static Object value(Type type, Random random) {
        if (type == int.class) {
            return random.nextInt(5);
        }
        if (type == long.class || type == Long.class) {
            return random.nextLong(-1, 1L << 50);
        }
        if (type == boolean.class || type == Boolean.class) {
            return random.nextBoolean();
        }
        if (type == String.class) {
            return List.of("", "a", "Ä \"b\"\n", "x-y").get(random.nextInt(4));
        }
        if (type == Duration.class) {
            return Duration.ofNanos(random.nextLong(1L << 45));
        }
        if (type == Secret.class) {
            return new Secret("s" + random.nextInt(99));
        }
        if (type instanceof ParameterizedType of && of.getRawType() == List.class) {
            var list = new ArrayList<Object>();
            for (int i = random.nextInt(3); i > 0; i--) {
                list.add(value(of.getActualTypeArguments()[0], random));
            }
            return List.copyOf(list);
        }
        if (type instanceof ParameterizedType) {
            var map = new LinkedHashMap<String, String>();
            for (int i = random.nextInt(3); i > 0; i--) {
                map.put("k" + i, String.valueOf(value(String.class, random)));
            }
            return map;
        }
        Class<?> plain = (Class<?>) type;
        if (plain.isEnum()) {
            Object[] constants = Objects.requireNonNull(plain.getEnumConstants());
            return constants[random.nextInt(constants.length)];
        }
        return record(plain, random);
    }
}
