package dev.berth.cli;

import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import dev.berth.model.Json;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * One request to the director whose body and answer go on at the same time, which the JDK's client
 * cannot do: frames in chunks, both ways. Sending and receiving may be two threads' work.
 */
final class SessionLink implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(10);

    /** The director says something each five seconds. */
    private static final Duration SILENCE = Duration.ofSeconds(60);

    private static final int LONGEST_LINE = 16 * 1024;

    private final SSLSocket socket;
    private final InputStream in;
    private final OutputStream out;
    private @Nullable InputStream body;

    private SessionLink(SSLSocket socket) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream(), 64 * 1024);
        this.out = socket.getOutputStream();
    }

    /** Connects and says what is to be run; what the director refuses is a {@link CliException}. */
    static SessionLink open(Api api, String path, Map<String, Object> command) {
        URI url = URI.create(api.target().url());
        int port = url.getPort() < 0 ? 443 : url.getPort();
        try {
            var link = new SessionLink(connect(api, url.getHost(), port));
            link.begin(api, url.getHost() + ":" + port, path, command);
            return link;
        } catch (ConnectException e) {
            throw new Api.Unreachable(
                    "no director answers at " + api.target().url() + "; start it with: berth up",
                    e);
        } catch (SSLException e) {
            throw new CliException(
                    "the director at "
                            + api.target().url()
                            + " is not trusted ("
                            + e.getMessage()
                            + "); name its CA with --ca-cert or BOSH_CA_CERT",
                    e);
        } catch (IOException e) {
            throw new Api.Unreachable(
                    "talking to " + api.target().url() + " failed: " + e.getMessage(), e);
        }
    }

    private static SSLSocket connect(Api api, String host, int port) throws IOException {
        var plain = new Socket();
        try {
            plain.connect(new InetSocketAddress(host, port), (int) CONNECT.toMillis());
            plain.setTcpNoDelay(true);
            plain.setSoTimeout((int) SILENCE.toMillis());
            var socket =
                    (SSLSocket) api.tls().getSocketFactory().createSocket(plain, host, port, true);
            var parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            return socket;
        } catch (IOException | RuntimeException e) {
            plain.close();
            throw e;
        }
    }

    private void begin(Api api, String host, String path, Map<String, Object> command)
            throws IOException {
        String head =
                "POST "
                        + path
                        + " HTTP/1.1\r\nHost: "
                        + host
                        + "\r\nAuthorization: "
                        + api.authorization()
                        + "\r\nContent-Type: application/x-berth-session"
                        + "\r\nTransfer-Encoding: chunked\r\n\r\n";
        out.write(head.getBytes(StandardCharsets.ISO_8859_1));
        byte[] what = Json.write(command).getBytes(StandardCharsets.UTF_8);
        send(new Frame(Frames.OPEN, what));
        String status = line();
        if (!status.matches("HTTP/1\\.1 \\d{3}.*")) {
            throw new IOException("the answer is not HTTP");
        }
        var headers = new HashMap<String, String>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = Math.max(line.indexOf(':'), 0);
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(Math.min(colon + 1, line.length())).strip());
        }
        int code = Integer.parseInt(status.substring(9, 12));
        if (code != 200) {
            String length = headers.getOrDefault("content-length", "0");
            int bytes = length.matches("\\d{1,6}") ? Integer.parseInt(length) : 0;
            String text = new String(in.readNBytes(bytes), StandardCharsets.UTF_8);
            close();
            throw api.refusal(new Api.Answer(code, text, null));
        }
        body = new Chunks();
    }

    /** Waits while the director has no room for it. */
    synchronized void send(Frame frame) throws IOException {
        chunk(frame.bytes());
    }

    private void chunk(byte[] bytes) throws IOException {
        byte[] size =
                (Integer.toHexString(bytes.length) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        byte[] all = new byte[size.length + bytes.length + 2];
        System.arraycopy(size, 0, all, 0, size.length);
        System.arraycopy(bytes, 0, all, size.length, bytes.length);
        all[all.length - 2] = '\r';
        all[all.length - 1] = '\n';
        out.write(all);
        out.flush();
    }

    /** The next frame; null at the end. */
    @Nullable Frame receive() throws IOException {
        InputStream open = body;
        return open == null ? null : Frames.read(open);
    }

    /** Says that nothing more comes from here. */
    synchronized void end() {
        try {
            out.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            out.flush();
        } catch (IOException e) {
            // It has hung up already, which says as much.
        }
    }

    /** Hangs up. */
    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // Nothing is to be lost by it.
        }
    }

    private String line() throws IOException {
        var line = new StringBuilder();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0 || line.length() > LONGEST_LINE) {
                throw new EOFException("the connection ended inside the answer");
            }
            line.append((char) b);
        }
        int end = line.length();
        return end > 0 && line.charAt(end - 1) == '\r'
                ? line.substring(0, end - 1)
                : line.toString();
    }

    /** The answer without its framing. */
    private final class Chunks extends InputStream {
        private long left;
        private boolean begun;
        private boolean over;

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            if (left == 0 && !next()) {
                return -1;
            }
            int got = in.read(target, offset, (int) Math.min(length, left));
            if (got < 0) {
                throw new EOFException("the connection ended inside the answer");
            }
            left -= got;
            return got;
        }

        private boolean next() throws IOException {
            if (over) {
                return false;
            }
            if (begun && !line().isEmpty()) {
                throw new IOException("a chunk is malformed");
            }
            begun = true;
            String size = line().split(";", 2)[0].strip();
            if (!size.matches("[0-9a-fA-F]{1,8}")) {
                throw new IOException("a chunk's size is malformed");
            }
            left = Long.parseLong(size, 16);
            over = left == 0;
            return !over;
        }
    }
}
