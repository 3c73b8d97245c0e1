package dev.berth.bus;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** The cable between one agent and the bus, which tests cut. */
final class Cable implements AutoCloseable {
    private final ServerSocket entry;
    private final int target;
    private final AtomicInteger connections = new AtomicInteger();
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

    Cable(int target) throws IOException {
        this.target = target;
        this.entry = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.startVirtualThread(this::accept);
    }

    int port() {
        return entry.getLocalPort();
    }

    /** How often the agent has connected. */
    int connections() {
        return connections.get();
    }

    private void accept() {
        while (true) {
            try {
                Socket in = entry.accept();
                connections.incrementAndGet();
                Thread.startVirtualThread(() -> connect(in));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void connect(Socket in) {
        try {
            Socket out = new Socket(InetAddress.getLoopbackAddress(), target);
            sockets.add(in);
            sockets.add(out);
            Thread.startVirtualThread(() -> copy(in, out));
            copy(out, in);
        } catch (IOException e) {
            closeQuietly(in);
        }
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // Closed it is, whatever it says.
        }
    }

    private void copy(Socket from, Socket to) {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[16 * 1024];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                out.write(buffer, 0, n);
            }
        } catch (IOException e) {
            // Cut at the other end: both go.
        }
    }

    @Override
    public void close() throws IOException {
        entry.close();
        sockets.forEach(Cable::closeQuietly);
    }
}
