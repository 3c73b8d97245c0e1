package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** {@code berth exec} as a person at a terminal uses it, and as a pipe does. */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ExecStoryTest {
    private static final String NAME = "inside";

    private final TestEnvironment environment;
    private final DirectorClient director;
    @TempDir Path folder = Path.of("");

    ExecStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
    }

    @BeforeAll
    void deploy() {
        director.await(
                        director.deploy(
                                """
                                name: %s
                                stemcells: [{alias: default, os: berth-debian, version: latest}]
                                update: {canaries: 1, max_in_flight: 1, canary_watch_time: 0-120000, update_watch_time: 0-120000}
                                instance_groups:
                                - name: web
                                  instances: 1
                                  azs: [z1]
                                  vm_type: small
                                  stemcell: default
                                  networks: [{name: default}]
                                  containers:
                                  - name: web
                                    image: registry.berth/shop-web:1
                                    entrypoint: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
                                """
                                        .formatted(NAME)))
                .done();
    }

    @AfterAll
    void clean() {
        Deployments.delete(director, NAME);
        director.close();
    }

    /** A command line with a terminal of its own. */
    private final class Terminal implements AutoCloseable {
        private final Path log = folder.resolve("log");
        private final Path device = folder.resolve("device");
        private final Process script;
        private final OutputStream keys;
        private int heard;

        Terminal(String command) throws IOException {
            Files.deleteIfExists(log);
            Path run =
                    Files.writeString(
                            folder.resolve("run"),
                            "tty > "
                                    + device
                                    + "; stty cols 91 rows 37; before=$(stty -g)\n"
                                    + command
                                    + "\necho code=$?; [ \"$before\" = \"$(stty -g)\" ] && echo as-before\n");
            var builder = new ProcessBuilder("script", "-qfe", "-c", "sh " + run, log.toString());
            builder.environment().putAll(environment.env());
            builder.environment().put("BOSH_DEPLOYMENT", NAME);
            builder.environment().put("TERM", "xterm");
            script =
                    builder.redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start();
            keys = script.getOutputStream();
        }

        void type(String text) throws IOException {
            keys.write(text.getBytes(StandardCharsets.UTF_8));
            keys.flush();
        }

        /** Waits until this is printed, after what was heard before. */
        void hear(String text) {
            Awaitility.await(text)
                    .atMost(TestEnvironment.SOON)
                    .untilAsserted(() -> {
                        String all = Files.exists(log) ? Files.readString(log) : "";
                        assertThat(all.substring(Math.min(heard, all.length()))).contains(text);
                        heard = all.indexOf(text, heard) + text.length();
                    });
        }

        void resize(int columns, int rows) throws IOException {
            Shell.run(
                            List.of(
                                    "stty",
                                    "-F",
                                    Files.readString(device).strip(),
                                    "cols",
                                    Integer.toString(columns),
                                    "rows",
                                    Integer.toString(rows)))
                    .ok();
        }

        @Override
        public void close() {
            script.destroyForcibly();
        }
    }

    private String exec(String words) {
        return TestEnvironment.launcher() + " exec " + words;
    }

    @Test
    void aShellAtATerminal() throws IOException {
        try (var terminal = new Terminal(exec("-it web/web"))) {
            terminal.hear("# ");
            terminal.type("stty size\r");
            terminal.hear("37 91");
            terminal.resize(120, 40);
            terminal.type(
                    "until [ \"$(stty size)\" = '40 120' ]; do sleep 0.1; done; echo fol''lowed\r");
            terminal.hear("followed");
            terminal.type("echo slee''ps; sleep 100; echo sta''tus $?\r");
            terminal.hear("sleeps");
            terminal.type("\u0003");
            terminal.hear("# ");
            terminal.type("exit 42\r");
            terminal.hear("code=42");
            terminal.hear("as-before");
        }
    }

    /**
     * Whatever ends the command line: the terminal is as before, and the command does not run on.
     */
    @Test
    void theTerminalComesBackWhenTheCommandLineIsKilled() throws IOException {
        try (var terminal = new Terminal(exec("-it web/web -- sh -c 'echo he''re; sleep 4713'"))) {
            terminal.hear("here");
            // The whole line, from the kernel: the JDK gives up on one longer than a page.
            long pid =
                    ProcessHandle.allProcesses()
                            .map(ProcessHandle::pid)
                            .filter(p -> {
                                String line = TestEnvironment.text(p, "cmdline");
                                return line.contains("cli.Main exec") && line.contains("4713");
                            })
                            .findFirst()
                            .orElseThrow();
            TestEnvironment.kill(pid);
            terminal.hear("code=137");
            Awaitility.await()
                    .atMost(TestEnvironment.SOON)
                    .untilAsserted(() ->
                            assertThat(
                                            Shell.run(
                                                            List.of(
                                                                    "stty",
                                                                    "-F",
                                                                    Files.readString(
                                                                                    terminal.device)
                                                                            .strip(),
                                                                    "-a"))
                                                    .said())
                                    .doesNotContain("-icanon"));
        }
        awaitNoProcess("sleep 4713");
    }

    private void awaitNoProcess(String words) {
        String vm =
                Objects.requireNonNull(environment.instances(director, NAME).get("web/0"))
                        .string("vm_cid");
        Awaitility.await()
                .atMost(TestEnvironment.SOON)
                .untilAsserted(() ->
                        assertThat(environment.inVm(vm, "ps ax | grep -v grep").ok())
                                .doesNotContain(words));
    }

    @Test
    void aPipe() throws IOException {
        Path data = folder.resolve("data");
        byte[] bytes = new byte[20_000_000];
        new java.util.SplittableRandom(3).nextBytes(bytes);
        Files.write(data, bytes);
        Map<String, String> env = environment.env();
        env.put("BOSH_DEPLOYMENT", NAME);
        Shell.Ran there =
                Shell.run(env, List.of("sh", "-c", exec("-i web/web -- sha256sum") + " < " + data));
        assertThat(there.ok())
                .startsWith(dev.berth.model.Digests.sha256(bytes).replace("sha256:", ""));
        Shell.Ran back =
                Shell.run(
                        env,
                        List.of(
                                "sh",
                                "-c",
                                exec("-i web/web -- cat") + " < " + data + " | cmp - " + data));
        back.ok();
        Shell.Ran both =
                Shell.run(
                        env,
                        List.of(
                                "sh",
                                "-c",
                                "echo one | "
                                        + exec("-i web/web -- sh -c 'cat; echo two >&2; exit 9'")));
        assertThat(both.code()).isEqualTo(9);
        assertThat(both.out()).isEqualTo("one\n");
        assertThat(both.err()).isEqualTo("two\n");
        Shell.Ran noTerminal =
                Shell.run(env, List.of("sh", "-c", exec("-it web/web -- true") + " < /dev/null"));
        assertThat(noTerminal.code()).isEqualTo(1);
        assertThat(noTerminal.err()).contains("not a terminal", "-i");
        assertThat(environment.berth("events").ok()).contains("session").doesNotContain("exit 9");
    }
}
