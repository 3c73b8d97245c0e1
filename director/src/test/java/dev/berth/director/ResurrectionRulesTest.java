package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ResurrectionRulesTest {
    private final Store store = SqlStore.sqliteInMemory();

    @AfterEach
    void close() {
        store.close();
    }

    private void config(String name, String text) {
        store.update(s -> s.saveConfig("resurrection", name, text, Instant.EPOCH));
    }

    private @Nullable String bars(String deployment, String group) {
        return store.read(s ->
                        java.util.Optional.ofNullable(
                                ResurrectionRules.of(s).bars(deployment, group)))
                .orElse(null);
    }

    @Test
    void withoutRulesAllIsRepaired() {
        assertThat(bars("shop", "db")).isNull();
    }

    @Test
    void aRuleAppliesWhereItIncludesAndDoesNotExclude() {
        config(
                "a",
                """
                rules:
                - enabled: false
                  include: {deployments: [shop], instance_groups: [db, db-canary]}
                  exclude: {instance_groups: [db-canary]}
                """);
        assertThat(bars("shop", "db")).contains("'a'");
        assertThat(bars("shop", "db-canary")).isNull();
        assertThat(bars("shop", "web")).isNull();
        assertThat(bars("other", "db")).isNull();
    }

    @Test
    void rulesOfAllConfigsCountTogetherAndOneThatSaysNoIsEnough() {
        config("a", "rules: [{enabled: true}]");
        config("b", "rules: [{enabled: false, include: {deployments: [shop]}}]");
        assertThat(bars("shop", "web")).contains("'b'");
        assertThat(bars("other", "web")).isNull();
    }

    @Test
    void aBadOneThatIsThereAlreadyHindersNobody() {
        config("bad", "rules: [{enabled: perhaps}, {enabled: false}]");
        assertThat(bars("shop", "db")).as("its good rules count").contains("'bad'");
        config("bad", "rules: {}");
        assertThat(bars("shop", "db")).isNull();
    }

    @Test
    void allThatIsWrongIsSaidAtOnce() {
        assertThatThrownBy(() ->
                        ResurrectionRules.check(
                                """
                                rules:
                                - enabled: "no"
                                - enabled: false
                                  include: {deployment: [shop]}
                                  exclude: {instance_groups: db}
                                other: 1
                                """))
                .hasMessageContaining("unknown key 'other'")
                .hasMessageContaining("rules[0].enabled")
                .hasMessageContaining("rules[1].include has unknown key 'deployment'")
                .hasMessageContaining("rules[1].exclude.instance_groups must be a list");
        ResurrectionRules.check("rules: []");
    }
}
