package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Clock;
import dev.berth.model.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** On a real engine: what a container of anybody uses stays, whatever the disk. */
@Tag("engine")
class ImageKeeperEngineTest {
    @Test
    void onlyImagesThatNobodyUsesGo() throws Exception {
        try (var dockerd = new PrivateDockerd()) {
            dockerd.start();
            dockerd.importImage();
            var keeper =
                    new ImageKeeper(dockerd.engine, SupervisorMemory.volatileOne(), Clock.SYSTEM);
            var all = new ArrayList<String>();
            for (int i = 1; i <= 5; i++) {
                String image = "app:" + i;
                String ignored =
                        dockerd.engine.buildImage(
                                Images.context(
                                        "FROM " + PrivateDockerd.IMAGE + "\nLABEL number=" + i),
                                image,
                                Map.of(),
                                line -> {});
                all.add(image);
                keeper.wished(List.of(image));
            }
            String foreign =
                    dockerd.engine.createContainer(
                            "foreign", Json.of("Image", "app:2", "Cmd", List.of("sleep", "1")));
            keeper.collect(true);
            assertThat(all.stream().filter(i -> dockerd.engine.inspectImage(i).isPresent()))
                    .containsExactly("app:2", "app:4", "app:5");
            assertThat(dockerd.engine.inspectImage(PrivateDockerd.IMAGE))
                    .as("an image that was never wished")
                    .isPresent();

            dockerd.engine.removeContainer(foreign, true, true);
            keeper.collect(true);
            assertThat(all.stream().filter(i -> dockerd.engine.inspectImage(i).isPresent()))
                    .containsExactly("app:4", "app:5");
        }
    }
}
