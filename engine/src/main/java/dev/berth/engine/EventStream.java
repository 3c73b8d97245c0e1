package dev.berth.engine;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** Reads engine events on a virtual thread until the stream breaks or it is closed. */
final class EventStream implements AutoCloseable {
    private final EngineHttp.Streaming stream;
    private final Consumer<Map<String, Object>> event;
    private final Consumer<Throwable> ended;
    private final AtomicBoolean over = new AtomicBoolean();

    EventStream(
            EngineHttp.Streaming stream,
            Consumer<Map<String, Object>> event,
            Consumer<Throwable> ended) {
        this.stream = stream;
        this.event = event;
        this.ended = ended;
    }

    void start() {
        Thread.ofVirtual().name("engine-events").start(this::read);
    }

    private void read() {
        Throwable reason;
        try {
            var lines = new JsonLines(stream.body());
            for (var next = lines.next(); next != null; next = lines.next()) {
                if (over.get()) {
                    return;
                }
                event.accept(next);
            }
            reason = new IOException("the engine ended the event stream");
        } catch (IOException | RuntimeException e) {
            reason = e;
        }
        if (over.compareAndSet(false, true)) {
            stream.close();
            ended.accept(reason);
        }
    }

    @Override
    public void close() {
        if (over.compareAndSet(false, true)) {
            stream.close();
        }
    }
}
