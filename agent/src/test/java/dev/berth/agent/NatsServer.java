package dev.berth.agent;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A real {@code nats-server} on a loopback port of its own. */
final class NatsServer implements AutoCloseable {
    final int port;
    private final Path folder;
    private final String extra;
    private @Nullable Process process;

    NatsServer(Path folder, String extraConfiguration) throws IOException {
        this.folder = folder;
        this.extra = extraConfiguration;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            this.port = free.getLocalPort();
        }
        start();
    }

    void start() throws IOException {
        Path config = folder.resolve("nats-" + port + ".conf");
        Files.writeString(config, "host: 127.0.0.1\nport: " + port + "\n" + extra);
        process =
                new ProcessBuilder(List.of("nats-server", "-c", config.toString()))
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("nats.log").toFile())
                        .start();
        while (true) {
            try (Socket probe = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return;
            } catch (IOException e) {
                if (!process.isAlive()) {
                    throw new IOException(Files.readString(folder.resolve("nats.log")), e);
                }
                Thread.onSpinWait();
            }
        }
    }

    String url() {
        return "nats://127.0.0.1:" + port;
    }

    /** Reads the configuration again. */
    void reload() throws IOException {
        Process running = java.util.Objects.requireNonNull(process);
        Process ignored = new ProcessBuilder("sh", "-c", "kill -s HUP " + running.pid()).start();
    }

    void stop() {
        Process running = process;
        if (running != null) {
            running.destroyForcibly();
            running.onExit().join();
        }
    }

    @Override
    public void close() {
        stop();
    }
}
