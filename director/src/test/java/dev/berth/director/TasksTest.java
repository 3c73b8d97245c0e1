package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.Clock;
import dev.berth.model.Json;
import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.SqlStore;
import dev.berth.store.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The task engine: order, locks, cancelling, resuming, and what stands in the outputs. */
class TasksTest {
    private static final Tasks.Bounds BOUNDS = new Tasks.Bounds(4, 4, Duration.ofMillis(100), 1000);

    @TempDir Path folder;
    private final Store store = SqlStore.sqliteInMemory();
    private final List<Tasks> made = new ArrayList<>();

    @AfterEach
    void stop() {
        made.forEach(Tasks::close);
        store.close();
    }

    /** The task engine of one director process. */
    private Tasks director() {
        return director(Duration.ofMillis(100));
    }

    private Tasks director(Duration lockWait) {
        var bounds = new Tasks.Bounds(4, 4, lockWait, 1000);
        var tasks = new Tasks(store, folder, Clock.SYSTEM, bounds);
        made.add(tasks);
        return tasks;
    }

    private long enqueue(Tasks tasks, String type, String deployment) {
        return tasks.enqueue(type, type, "admin", deployment, "", Map.of()).id();
    }

    private Rows.Task await(long id, String state) throws InterruptedException {
        for (int i = 0; i < 1000; i++) {
            Rows.Task task = store.read(s -> s.task(id)).orElseThrow();
            if (task.state().equals(state)) {
                return task;
            }
            Thread.sleep(5);
        }
        throw new AssertionError("task " + id + " is " + store.read(s -> s.task(id)));
    }

    private List<Map<String, Object>> events(long id) throws IOException {
        return Files.readAllLines(folder.resolve(id + "/event")).stream()
                .map(Json::object)
                .toList();
    }

    @Test
    void aTaskRunsAndItsLinesAreThoseOfTheProtocol() throws Exception {
        Tasks tasks = director();
        tasks.register(
                "deploy",
                payload ->
                        task -> {
                            var stage = task.log().stage("Updating instance", List.of("web"), 1);
                            stage.step("web/6e0c (0) (canary)", step -> step.progress(50, "half"));
                            task.log().result("{\"a\":1}");
                            return "/deployments/zk";
                        });
        tasks.start();
        long id = enqueue(tasks, "deploy", "zk");

        Rows.Task done = await(id, "done");

        assertThat(done.result()).isEqualTo("/deployments/zk");
        assertThat(done.startedAt()).isNotNull();
        assertThat(done.finishedAt()).isNotNull();
        var lines = events(id);
        assertThat(lines)
                .extracting(l -> l.get("state"))
                .containsExactly("started", "in_progress", "finished");
        assertThat(lines).extracting(l -> l.get("progress")).containsExactly(0L, 50L, 100L);
        assertThat(lines.get(1).get("data")).isEqualTo(Json.of("status", "half"));
        assertThat(lines)
                .allSatisfy(line -> {
                    assertThat(line).containsEntry("stage", "Updating instance");
                    assertThat(line).containsEntry("tags", List.of("web"));
                    assertThat(line).containsEntry("task", "web/6e0c (0) (canary)");
                    assertThat(line).containsEntry("index", 1L);
                    assertThat(line).containsEntry("total", 1L);
                });
        assertThat(Files.readString(folder.resolve(id + "/result"))).isEqualTo("{\"a\":1}\n");
    }

    @Test
    void stepsSideBySideAreNumberedInTheOrderOfTheirLines() throws Exception {
        Tasks tasks = director();
        tasks.register(
                "deploy",
                payload ->
                        task -> {
                            var stage = task.log().stage("S", List.of(), 50);
                            var threads = new ArrayList<Thread>();
                            for (int i = 0; i < 50; i++) {
                                String name = "step " + i;
                                threads.add(
                                        Thread.startVirtualThread(() -> {
                                            try (var step = stage.step(name)) {
                                                step.done();
                                            }
                                        }));
                            }
                            for (Thread thread : threads) {
                                thread.join();
                            }
                            return "";
                        });
        tasks.start();
        long id = enqueue(tasks, "deploy", "d");
        await(id, "done");

        var started = events(id).stream().filter(l -> "started".equals(l.get("state"))).toList();
        assertThat(started)
                .extracting(l -> l.get("index"))
                .containsExactlyElementsOf(
                        java.util.stream.LongStream.rangeClosed(1, 50).boxed().toList());
    }

    @Test
    void aFailureEndsWithOneLineThatHasTheCodeAndAllProblems() throws Exception {
        Tasks tasks = director();
        tasks.register(
                "deploy",
                payload ->
                        task -> {
                            throw new ProblemException(
                                    List.of(
                                            new Problem(140003, "a", "first", null),
                                            new Problem(140004, "b", "second", null)));
                        });
        tasks.start();
        long id = enqueue(tasks, "deploy", "d");

        Rows.Task failed = await(id, "error");

        assertThat(failed.result()).isEqualTo("a: first\nb: second");
        assertThat(events(id).getLast().get("error"))
                .isEqualTo(Json.of("code", 140003L, "message", "a: first\nb: second"));
    }

    @Test
    void aLongResultIsCutAtAWord() {
        String result = Tasks.trimmed("word ".repeat(40));
        assertThat(result).hasSizeLessThanOrEqualTo(128).endsWith("word...");
    }

    @Test
    void tasksOfOneDeploymentDoNotOverlapAndOthersDo() throws Exception {
        Tasks tasks = director();
        var inA = new AtomicInteger();
        var most = new AtomicInteger();
        var otherRan = new CountDownLatch(1);
        tasks.register(
                "a",
                payload ->
                        task -> {
                            most.accumulateAndGet(inA.incrementAndGet(), Math::max);
                            otherRan.await(); // ends only when the task of the other deployment
                            // runs meanwhile
                            inA.decrementAndGet();
                            return "";
                        });
        tasks.register(
                "b",
                payload ->
                        task -> {
                            otherRan.countDown();
                            return "";
                        });
        tasks.start();
        long first = enqueue(tasks, "a", "a");
        long second = enqueue(tasks, "a", "a");
        enqueue(tasks, "b", "b");
        await(first, "done");
        await(second, "done");
        assertThat(most).hasValue(1);
    }

    @Test
    void aTaskThatWaitsTooLongForItsLockSaysWhoHoldsIt() throws Exception {
        Tasks tasks = director();
        var release = new CountDownLatch(1);
        tasks.register(
                "hold",
                payload ->
                        task -> {
                            release.await();
                            return "";
                        });
        tasks.start();
        long holder = enqueue(tasks, "hold", "zk");
        long waiting = enqueue(tasks, "hold", "zk");
        String result = String.valueOf(await(waiting, "error").result());
        assertThat(result).startsWith("Failed to acquire lock for lock:deployment:zk uid: ");
        assertThat(events(waiting).getLast().toString())
                .contains("Locking task id is " + holder + ", description: 'hold'");
        assertThat(tasks.locks().held())
                .singleElement()
                .satisfies(lock -> {
                    assertThat(lock.name().kind()).isEqualTo("deployment");
                    assertThat(lock.name().resource()).containsExactly("zk");
                    assertThat(lock.task()).isEqualTo(holder);
                });
        release.countDown();
        await(holder, "done");
    }

    @Test
    void aRunningTaskIsCancelledAtItsNextSafePoint() throws Exception {
        Tasks tasks = director();
        var begun = new CountDownLatch(1);
        tasks.register(
                "loop",
                payload ->
                        task -> {
                            begun.countDown();
                            while (true) {
                                task.checkCancelled();
                                Thread.sleep(1);
                            }
                        });
        tasks.start();
        long id = enqueue(tasks, "loop", "d");
        begun.await();

        assertThat(tasks.cancel(id)).isEqualTo(new Tasks.Cancel.Accepted());

        assertThat(await(id, "cancelled").result()).isEqualTo("task cancelled");
        assertThat(events(id).getLast().get("error"))
                .isEqualTo(Json.of("code", 10001L, "message", "Task " + id + " cancelled"));
        assertThat(tasks.cancel(id)).isEqualTo(new Tasks.Cancel.Refused("cancelled"));
        assertThat(tasks.cancel(999)).isEqualTo(new Tasks.Cancel.Unknown());
    }

    @Test
    void aTaskCancelledInTheQueueNeverRuns() throws Exception {
        Tasks tasks = director();
        var ran = new AtomicBoolean();
        tasks.register(
                "deploy",
                payload ->
                        task -> {
                            ran.set(true);
                            return "";
                        });
        long id = enqueue(tasks, "deploy", "d");
        tasks.cancel(id);
        tasks.start();
        await(id, "cancelled");
        assertThat(ran).isFalse();
    }

    @Test
    void theNextDirectorGoesOnWithTheSameTaskAndTheSameOutputs() throws Exception {
        Tasks first = director(Duration.ofHours(1));
        var begun = new CountDownLatch(1);
        first.register(
                "deploy",
                payload ->
                        task -> {
                            var step = task.log().stage("S", List.of(), 1).step("one");
                            begun.countDown();
                            try (step) {
                                Thread.sleep(Duration.ofHours(1));
                            }
                            return "";
                        });
        first.start();
        long id = enqueue(first, "deploy", "zk");
        long queued = enqueue(first, "deploy", "zk");
        begun.await();
        await(queued, "processing");
        first.close();
        assertThat(store.read(s -> s.task(id)).orElseThrow().state()).isEqualTo("processing");
        // What a killed process may leave: half a line.
        Files.writeString(
                folder.resolve(id + "/event"), "{\"time\":1,\"sta", StandardOpenOption.APPEND);

        Tasks second = director(Duration.ofHours(1));
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        second.register(
                "deploy",
                payload ->
                        task -> {
                            order.add(task.id() + (task.resumed() ? " resumed" : ""));
                            task.log().stage("S", List.of(), 1).step("one", step -> {});
                            return "ok";
                        });
        second.start();

        assertThat(await(id, "done").result()).isEqualTo("ok");
        await(queued, "done");
        // The second one had begun too: it was waiting for the lock.
        assertThat(order).containsExactly(id + " resumed", queued + " resumed");
        assertThat(events(id))
                .extracting(l -> String.valueOf(l.get("state")))
                .containsExactly("started", "null", "started", "finished");
        assertThat(events(id).get(1)).containsEntry("type", "warning");
    }

    @Test
    void aTaskThatWasBeingCancelledIsResumedAndThenCancelled() throws Exception {
        Tasks first = director();
        var begun = new CountDownLatch(1);
        first.register(
                "deploy",
                payload ->
                        task -> {
                            begun.countDown();
                            Thread.sleep(Duration.ofHours(1));
                            return "";
                        });
        first.start();
        long id = enqueue(first, "deploy", "zk");
        begun.await();
        first.cancel(id);
        first.close();

        Tasks second = director();
        var settled = new AtomicBoolean();
        second.register(
                "deploy",
                payload ->
                        task -> {
                            settled.set(task.resumed() && task.cancelled());
                            task.checkCancelled();
                            return "";
                        });
        second.start();
        await(id, "cancelled");
        assertThat(settled).isTrue();
    }

    @Test
    void secretsThatATaskHidesStandInNoneOfItsOutputs() throws Exception {
        Tasks tasks = director();
        String pem =
                "-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n";
        tasks.register(
                "deploy",
                payload ->
                        task -> {
                            task.log().hide("plantedsecret");
                            task.log().hide(pem);
                            task.log().debug("password is plantedsecret");
                            task.log().debug(pem);
                            task.log().cpi(Json.write(Json.of("key", pem, "p", "plantedsecret")));
                            task.log().warning("plantedsecret");
                            task.log().result(Json.write(Json.of("key", pem)));
                            task.log().debug("https://user:plantedpassword@host/x");
                            task.log()
                                    .stage("S plantedsecret", List.of(), 1)
                                    .step("x plantedsecret", s -> s.progress(1, "plantedsecret"));
                            throw new IllegalStateException("cloud says: plantedsecret");
                        });
        tasks.start();
        long id = enqueue(tasks, "deploy", "d");
        Rows.Task row = await(id, "error");
        var all = new StringBuilder(String.valueOf(row.result()));
        for (String output : List.of("event", "debug", "cpi", "result")) {
            all.append(Files.readString(folder.resolve(id + "/" + output)));
        }
        assertThat(all.toString())
                .contains("<redacted>")
                .doesNotContain("planted")
                .doesNotContain("MIIEvg");
    }

    @Test
    void aJobThatIsNotRegisteredIsRefusedAtOnce() {
        assertThatThrownBy(() -> enqueue(director(), "nonsense", "d"))
                .hasMessageContaining("nonsense");
    }
}
