package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The command line as a process, where no director is needed: 2 and the nearest right word for a
 * misuse, 1 and the remedy for what cannot be done, and never a stack trace.
 */
class CommandLineTest {
    @TempDir Path home = Path.of("");

    private Shell.Ran berth(String... words) {
        return berth(Map.of(), words);
    }

    private Shell.Ran berth(Map<String, String> more, String... words) {
        var env = new HashMap<String, String>();
        for (String other :
                List.of(
                        "BOSH_ENVIRONMENT",
                        "BOSH_CLIENT",
                        "BOSH_CLIENT_SECRET",
                        "BOSH_CA_CERT",
                        "BOSH_DEPLOYMENT",
                        "BERTH_DOCKER_HOST",
                        "BERTH_TERMINAL",
                        "JAVA_TOOL_OPTIONS")) {
            env.put(other, "");
        }
        env.put("BERTH_HOME", home.resolve("home").toString());
        env.putAll(more);
        var command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty(
                                        "surefire.test.class.path",
                                        System.getProperty("java.class.path")),
                                "dev.berth.cli.Main"));
        command.addAll(List.of(words));
        Shell.Ran ran = Shell.run(env, command);
        assertThat(ran.said()).as("no stack trace").doesNotContain("\tat ");
        return ran;
    }

    @Test
    void unknownCommandGetsTheNearest() {
        Shell.Ran ran = berth("depoly");
        assertThat(ran.code()).isEqualTo(2);
        assertThat(ran.err()).contains("depoly", "did you mean deploy", "help");
        assertThat(ran.out()).isEmpty();
    }

    @Test
    void unknownOptionGetsTheNearest() {
        Shell.Ran ran = berth("instances", "--detials");
        assertThat(ran.code()).isEqualTo(2);
        assertThat(ran.err()).contains("--detials", "--details");
    }

    @Test
    void missingArgumentIsNamed() {
        Shell.Ran ran = berth("deploy");
        assertThat(ran.code()).isEqualTo(2);
        assertThat(ran.err()).contains("MANIFEST", "help deploy");
    }

    @Test
    void helpIsNoFailureAndNamesTheCommands() {
        Shell.Ran ran = berth("help");
        assertThat(ran.code()).isZero();
        assertThat(ran.out())
                .contains("up", "deploy", "instances", "containers", "delete-deployment", "down");
        assertThat(berth("help", "deploy").ok()).contains("--dry-run", "--recreate");
    }

    @Test
    void withoutAnEnvironmentTheRemedyIsTold() {
        Shell.Ran ran = berth("vms");
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("there is no environment at " + home.resolve("home"), "up");
    }

    @Test
    void brokenEnvironmentFileIsNamed() throws IOException {
        Files.createDirectories(home.resolve("home"));
        Files.writeString(home.resolve("home/env.json"), "{\"name\":");
        Shell.Ran ran = berth("vms");
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("env.json");
    }

    @Test
    void directorThatDoesNotAnswerIsNamedAndTheSecretIsNot() {
        Shell.Ran ran =
                berth(
                        Map.of(
                                "BOSH_ENVIRONMENT", "127.0.0.1:1",
                                "BOSH_CLIENT", "admin",
                                "BOSH_CLIENT_SECRET", "hush-hush"),
                        "deployments");
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("no director answers at https://127.0.0.1:1");
        assertThat(ran.said()).doesNotContain("hush-hush");
    }

    @Test
    void caFileThatIsNotThereIsNamed() {
        Shell.Ran ran =
                berth(
                        Map.of("BOSH_ENVIRONMENT", "127.0.0.1:1", "BOSH_CA_CERT", "/no/such/ca"),
                        "deployments");
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("/no/such/ca");
    }

    @Test
    void manifestThatIsNotThereIsNamed() {
        Shell.Ran ran =
                berth(
                        Map.of("BOSH_ENVIRONMENT", "127.0.0.1:1"),
                        "deploy",
                        "-n",
                        "-d",
                        "shop",
                        "/no/such.yml");
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err()).contains("/no/such.yml");
    }

    @Test
    void completionIsAScriptThatAShellTakes() throws IOException {
        Path script =
                Files.writeString(home.resolve("completion"), berth("generate-completion").ok());
        Shell.run(List.of("bash", "-n", script.toString())).ok();
    }
}
