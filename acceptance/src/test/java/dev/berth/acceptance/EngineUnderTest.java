package dev.berth.acceptance;

import java.nio.file.Path;

/** The engine that tests run on: the one DOCKER_HOST names, else the machine's own. */
final class EngineUnderTest {
    private EngineUnderTest() {}

    static Path socket() {
        String host = System.getenv().getOrDefault("DOCKER_HOST", "unix:///var/run/docker.sock");
        return Path.of(host.replaceFirst("^unix://", ""));
    }

    /** The first three numbers of a range that other test runs beside this one hardly have. */
    static String freeRange() {
        long pid = ProcessHandle.current().pid();
        return "10.241." + pid % 256;
    }
}
