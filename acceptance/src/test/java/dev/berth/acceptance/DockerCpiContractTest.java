package dev.berth.acceptance;

import dev.berth.cpi.Cpi;
import dev.berth.cpi.docker.DockerCpi;
import dev.berth.engine.DockerEngine;
import dev.berth.model.VmCid;
import dev.berth.testkit.CpiContract;
import dev.berth.testkit.TinyStemcell;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The Docker CPI, in this process, keeps the contract on a real engine. */
@Tag("engine")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DockerCpiContractTest extends CpiContract {
    private final DockerEngine engine = new DockerEngine(EngineUnderTest.socket());
    private Path folder = Path.of("");
    private Path image = Path.of("");

    @BeforeAll
    void image(@TempDir Path shared) {
        folder = shared;
        image = TinyStemcell.image(folder);
    }

    @AfterAll
    void close() {
        engine.close();
    }

    @Override
    protected Cpi cpi() {
        return new DockerCpi(engine, folder.resolve("cpi"));
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
