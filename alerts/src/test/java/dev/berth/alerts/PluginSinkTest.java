package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.AlertsConfig;
import dev.berth.model.Clock;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Executables in the reference's places, which speak its protocol. */
class PluginSinkTest extends SinkContract {
    @TempDir Path folder;

    private Path jobs() {
        return folder.resolve("jobs");
    }

    private Path out() {
        return folder.resolve("out");
    }

    private Path plugin(String job, String name, String script) throws IOException {
        Path file = jobs().resolve(job).resolve("bin/bosh-monitor").resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + script + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Override
    void serve() throws IOException {
        plugin("pager", "notify", "echo begun >> " + folder + "/starts; exec cat >> " + out());
    }

    @Override
    void away() throws IOException {
        Files.deleteIfExists(jobs().resolve("pager/bin/bosh-monitor/notify"));
    }

    @Override
    AlertsConfig.Target target() {
        return new AlertsConfig.Plugin(List.of(jobs() + "/*/bin/bosh-monitor/*"));
    }

    @Override
    List<String> arrived() throws IOException {
        return Files.exists(out()) ? Files.readAllLines(out()) : List.of();
    }

    @Override
    String identity(Notice notice) {
        return "\"dedup_key\":\"" + notice.dedupKey() + "\"";
    }

    @Test
    void oneProcessTakesALineForEachInTheShapeOfTheReference() throws Exception {
        serve();
        Sink sink = sink();
        for (Notice notice : Notices.life("gone")) {
            assertThat(sink.deliver(List.of(notice))).contains("notify");
        }
        Awaitility.await().atMost(SOON).until(() -> arrived().size() == 3);
        assertThat(Files.readAllLines(folder.resolve("starts"))).hasSize(1);
        Fields first = Fields.of(Json.parse(arrived().getFirst()), "line");
        assertThat(first.string("kind")).isEqualTo("alert");
        assertThat(first.integer("severity")).isEqualTo(2);
        assertThat(first.string("title")).isEqualTo("gone");
        assertThat(first.string("deployment")).isEqualTo("shop");
        assertThat(first.integer("created_at")).isEqualTo(Notices.T0.getEpochSecond());
    }

    @Test
    void oneThatEndsIsStartedAgainAndTheOtherGetsNothingTwice() throws Exception {
        plugin("good", "g", "exec cat >> " + out());
        plugin("bad", "b", "read line; echo \"$line\" >> " + folder.resolve("bad") + "; exit 0");
        var outbox = new MemoryOutbox();
        Notices.life("gone").forEach(n -> outbox.add(n, Clock.SYSTEM.now()));
        var patience =
                new Courier.Patience(
                        Duration.ofSeconds(5),
                        Duration.ofMillis(100),
                        Duration.ofMillis(200),
                        9,
                        Duration.ofDays(1));
        var courier = opened(new Courier("s", sink(), outbox, Clock.SYSTEM, patience, null));
        courier.start();
        Path bad = folder.resolve("bad");
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> outbox.log().size() == 3);
        Awaitility.await().atMost(SOON).until(() -> arrived().size() == 3);
        assertThat(Files.readAllLines(bad)).doesNotHaveDuplicates();
        assertThat(arrived()).doesNotHaveDuplicates();
    }

    @Test
    void oneThatDoesNotReadIsEndedAndDelaysOnlyItself() throws Exception {
        plugin("deaf", "d", "exec sleep 600");
        Sink sink = sink();
        String big = "x".repeat(200_000); // more than a pipe holds
        var patience =
                new Courier.Patience(
                        Duration.ofMillis(500),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1),
                        3,
                        Duration.ofDays(1));
        var courier =
                opened(new Courier("s", sink, new MemoryOutbox(), Clock.SYSTEM, patience, null));
        assertThatThrownBy(() -> courier.test(Notices.life(big).getFirst()))
                .isInstanceOf(SinkException.class)
                .hasMessageContaining("no answer within");
    }

    @Test
    void nothingThereIsSaidWithItsPlace() {
        assertAway(sink(), "no executable is at", "bosh-monitor");
    }
}
