package dev.berth.acceptance.proof;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A list of Redis, whose server syncs its append-only file before each answer ({@code appendfsync
 * always}). Speaks the three commands it needs in the server's own protocol (RESP).
 */
final class RedisLedger implements Ledger {
    private static final String KEY = "ledger";

    private final Socket socket;
    private final InputStream in;

    private RedisLedger(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream());
    }

    static Ledger open(String address) throws IOException {
        var socket = new Socket();
        try {
            socket.connect(new InetSocketAddress(address, 6379), 1000);
            socket.setSoTimeout(4000);
            socket.setTcpNoDelay(true);
            var ledger = new RedisLedger(socket);
            ledger.ask("PING"); // while it reads its file it answers with an error
            return ledger;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    @Override
    public void append(long number) throws IOException {
        ask("RPUSH", KEY, Long.toString(number));
    }

    @Override
    public List<Long> all() throws IOException {
        int count = Integer.parseInt(ask("LRANGE", KEY, "0", "-1"));
        var numbers = new ArrayList<Long>(count);
        for (int i = 0; i < count; i++) {
            line(); // the length of what follows
            numbers.add(Long.parseLong(line()));
        }
        return numbers;
    }

    /** The first line of the answer, without its mark. */
    private String ask(String... words) throws IOException {
        var request = new StringBuilder("*" + words.length + "\r\n");
        for (String word : words) {
            request.append("$").append(word.length()).append("\r\n").append(word).append("\r\n");
        }
        socket.getOutputStream().write(request.toString().getBytes(StandardCharsets.US_ASCII));
        String answer = line();
        if (answer.startsWith("-")) {
            throw new IOException("redis: " + answer);
        }
        return answer.substring(1);
    }

    private String line() throws IOException {
        var line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("redis went away");
            }
            line.append((char) c);
        }
        return line.substring(0, line.length() - 1);
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // It is broken already, which is why it is closed.
        }
    }
}
