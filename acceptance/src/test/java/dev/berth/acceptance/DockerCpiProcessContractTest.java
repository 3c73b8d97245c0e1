package dev.berth.acceptance;

import dev.berth.cpi.Cpi;
import dev.berth.cpi.CpiLog;
import dev.berth.cpi.ExternalCpi;
import dev.berth.cpi.docker.Main;
import dev.berth.engine.DockerEngine;
import dev.berth.model.Clock;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.testkit.CpiContract;
import dev.berth.testkit.TinyStemcell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Docker CPI as an executable keeps the same contract: every call is a process of its own, so
 * locks among processes and the JSON form of all arguments, answers and errors are shown too.
 */
@Tag("engine")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DockerCpiProcessContractTest extends CpiContract {
    private final DockerEngine engine = new DockerEngine(EngineUnderTest.socket());
    private Path folder = Path.of("");
    private Path image = Path.of("");
    private Path executable = Path.of("");

    @BeforeAll
    void prepare(@TempDir Path shared) throws IOException {
        folder = shared;
        image = TinyStemcell.image(folder);
        executable = folder.resolve("cpi-docker");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Files.writeString(
                executable,
                "#!/bin/sh\nexec '"
                        + java
                        + "' -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -cp '"
                        + System.getProperty("java.class.path")
                        + "' "
                        + Main.class.getName()
                        + "\n");
        Files.setPosixFilePermissions(executable, PosixFilePermissions.fromString("rwx------"));
    }

    @AfterAll
    void close() {
        engine.close();
    }

    private @Nullable Cpi external;

    @Override
    protected Cpi cpi() {
        if (external == null) {
            external =
                    new ExternalCpi(executable, Duration.ofMinutes(3), CpiLog.NONE, Clock.SYSTEM);
        }
        return external;
    }

    @Override
    protected Map<String, Object> contextProperties() {
        return Json.of(
                "docker_host",
                "unix://" + EngineUnderTest.socket(),
                "base",
                folder.resolve("cpi").toString());
    }

    @Override
    protected Path stemcellImage() {
        return image;
    }

    @Override
    protected String rangePrefix() {
        return EngineUnderTest.freeRange();
    }

    @Override
    protected void powerOff(VmCid vm) {
        engine.killContainer(vm.value(), "KILL");
    }
}
