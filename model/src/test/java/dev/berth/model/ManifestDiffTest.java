package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.DiffLine.Status;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ManifestDiffTest {
    private static String diff(String before, String after) {
        return ManifestDiff.between(
                        YamlDocument.parse(before).tree(), YamlDocument.parse(after).tree(), true)
                .stream()
                .map(line ->
                        (line.status() == null ? "  " : line.status() == Status.ADDED ? "+ " : "- ")
                                + line.text())
                .collect(Collectors.joining("\n", "", "\n"));
    }

    @Test
    void sectionsComeInBoshsOrderAndListsPairUpByNameOrRange() {
        String before =
                """
                name: shop
                instance_groups:
                - name: web
                  instances: 1
                  networks: [{name: default}]
                  env: {bosh: {password: old}}
                - name: gone
                  instances: 1
                update: {canaries: 1, serial: true}
                networks:
                - name: default
                  subnets: [{range: 10.0.0.0/24, gateway: 10.0.0.1}]
                stemcells: []
                """;
        String after =
                """
                name: shop
                instance_groups:
                - name: web
                  instances: 2
                  networks: [{name: default}]
                  env: {bosh: {password: new}}
                  containers:
                  - {name: nginx, image: web, environment: {TOKEN: hunter2}}
                update: {canaries: 50%, serial: true}
                networks:
                - name: default
                  subnets: [{range: 10.0.0.0/24, gateway: 10.0.0.2}]
                stemcells: [{alias: default, version: "1.439"}]
                releases: [{name: docker, url: "https://user:pw@example.com/x"}]
                """;
        assertThat(diff(before, after))
                .isEqualTo(
                        """
                          networks:
                          - name: default
                            subnets:
                            - range: 10.0.0.0/24
                        -     gateway: 10.0.0.1
                        +     gateway: 10.0.0.2
                         \s
                          stemcells:
                        + - alias: default
                        +   version: '1.439'
                         \s
                        + releases:
                        + - name: docker
                        +   url: https://<redacted>@example.com/x
                         \s
                          update:
                        -   canaries: 1
                        +   canaries: 50%
                         \s
                          instance_groups:
                          - name: web
                        -   instances: 1
                        +   instances: 2
                            env:
                              bosh:
                        -       password: <redacted>
                        +       password: <redacted>
                        +   containers:
                        +   - name: nginx
                        +     image: web
                        +     environment:
                        +       TOKEN: <redacted>
                        - - name: gone
                        -   instances: 1
                        """);
    }

    @Test
    void aNewDeploymentIsAllAddedAndLatestStemcellsAreResolved() {
        var merged =
                ManifestDiff.merged(
                        YamlDocument.parse(
                                "name: a\nstemcells: [{alias: x, os: debian, version: latest}]\n"),
                        YamlDocument.parseConfig("vm_types: [{name: default}]\n", "cloud"),
                        Examples.STEMCELLS);
        assertThat(ManifestDiff.between(Map.of(), merged, true).stream().map(DiffLine::toTree))
                .isEqualTo(
                        List.of(
                                List.of("vm_types:", "added"),
                                List.of("- name: default", "added"),
                                new DiffLine("", null).toTree(),
                                List.of("name: a", "added"),
                                new DiffLine("", null).toTree(),
                                List.of("stemcells:", "added"),
                                List.of("- alias: x", "added"),
                                List.of("  os: debian", "added"),
                                List.of("  version: '0.10'", "added")));
    }

    @Property(tries = 200)
    void nothingDiffersFromItself(@ForAll("documents") Map<String, Object> document) {
        assertThat(ManifestDiff.between(document, document, true)).isEmpty();
    }

    @Property(tries = 200)
    void fromNothingTheAddedLinesAreTheDocument(@ForAll("documents") Map<String, Object> document) {
        List<DiffLine> lines = ManifestDiff.between(Map.of(), document, false);
        assertThat(parsed(lines, Status.REMOVED)).isEqualTo(document);
    }

    @Property(tries = 500)
    void linesLeftAreOfTheOldDocumentAndLinesAddedOfTheNew(
            @ForAll("documents") Map<String, Object> before,
            @ForAll("documents") Map<String, Object> after) {
        List<DiffLine> lines = ManifestDiff.between(before, after, false);
        assertPart(parsed(lines, Status.ADDED), before);
        assertPart(parsed(lines, Status.REMOVED), after);
        assertThat(lines.isEmpty())
                .isEqualTo(java.util.Objects.equals(unordered(before), unordered(after)));
    }

    @Property(tries = 200)
    void hiddenValuesNeverShow(@ForAll("documents") Map<String, Object> document) {
        var before = Map.<String, Object>of("properties", Map.of("a", "hunter1"));
        var after = new LinkedHashMap<String, Object>(document);
        after.put("properties", List.of(Map.of("a", "hunter2", "b", List.of("hunter2"))));
        after.put("environment", List.of("A=hunter2"));
        assertThat(ManifestDiff.between(before, after, true).toString()).doesNotContain("hunter");
    }

    private static Map<String, Object> parsed(List<DiffLine> lines, Status without) {
        String text =
                lines.stream()
                        .filter(line -> line.status() != without)
                        .map(DiffLine::text)
                        .collect(Collectors.joining("\n", "", "\n"));
        return YamlDocument.parse(text).tree();
    }

    /** Every leaf of the part is in the whole; a null stands for 'something below'. */
    private static void assertPart(@Nullable Object part, @Nullable Object whole) {
        if (part instanceof Map<?, ?> map && whole instanceof Map<?, ?> all) {
            map.forEach((key, value) -> {
                assertThat(all.containsKey(key)).isTrue();
                assertPart(value, all.get(key));
            });
        } else if (part instanceof List<?> list && whole instanceof List<?> all) {
            for (Object item : list) {
                assertThat(all.stream().anyMatch(each -> isPart(item, each))).isTrue();
            }
        } else if (part != null) {
            assertThat(whole).isEqualTo(part);
        }
    }

    private static boolean isPart(@Nullable Object part, @Nullable Object whole) {
        try {
            assertPart(part, whole);
            return true;
        } catch (AssertionError e) {
            return false;
        }
    }

    /** Lists as sets: the order of elements does not count. */
    private static @Nullable Object unordered(@Nullable Object tree) {
        return switch (tree) {
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<Object, @Nullable Object>();
                map.forEach((k, v) -> copy.put(k, unordered(v)));
                yield copy;
            }
            case List<?> list -> {
                var copy = new java.util.HashSet<@Nullable Object>();
                list.forEach(item -> copy.add(unordered(item)));
                yield copy;
            }
            case null, default -> tree;
        };
    }

    @Provide
    Arbitrary<Map<String, Object>> documents() {
        Arbitrary<String> keys = Arbitraries.of("name", "update", "networks", "a b", "instances");
        Arbitrary<Object> leaves =
                Arbitraries.of("x", "y", "1.5", "yes", "a\nb", 1L, 2L, true, List.of(), Map.of());
        Arbitrary<Object> named =
                Arbitraries.maps(Arbitraries.of("size", "kind"), leaves)
                        .ofMaxSize(2)
                        .flatMap(map ->
                                Arbitraries.of("n1", "n2", "n3")
                                        .map(name -> {
                                            var copy = new LinkedHashMap<String, Object>();
                                            copy.put("name", name);
                                            copy.putAll(map);
                                            return (Object) copy;
                                        }));
        Arbitrary<Object> values =
                Arbitraries.oneOf(
                        leaves,
                        leaves.list().ofMaxSize(3).map(l -> (Object) l),
                        named.list()
                                .uniqueElements(m -> ((Map<?, ?>) m).get("name"))
                                .ofMaxSize(3)
                                .map(l -> (Object) l),
                        Arbitraries.maps(keys, leaves).ofMaxSize(3).map(m -> (Object) m));
        return Arbitraries.maps(keys, values).ofMaxSize(4);
    }
}
