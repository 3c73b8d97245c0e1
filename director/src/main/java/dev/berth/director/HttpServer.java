package dev.berth.director;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.VirtualThreads;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;

/**
 * HTTPS by Jetty's core, HTTP/1.1 only, one virtual thread per request. Jetty alone and no web
 * framework above it: the protocol needs raw paths, strict media types and bodies of gigabytes, all
 * of which frameworks take away.
 */
final class HttpServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(HttpServer.class.getName());
    private static final int MOST_CONNECTIONS = 5000;
    private static final long MOST_DRAINED = 10_000L << 20;
    private static final int HEADER_BYTES = 64 * 1024;

    /** Weighed against clients that upload gigabytes over lines that stall. */
    private static final Duration IDLE = Duration.ofMinutes(5);

    private static final Pattern RANGE = Pattern.compile("bytes=(\\d{1,18})-(\\d{0,18})");

    /** A body that goes on while it is answered: its end is not waited for. */
    static final String SESSION = "application/x-berth-session";

    private final Server server;
    private final ServerConnector connector;
    private final Api api;

    /**
     * Listens when it returns.
     *
     * @param port 0: any free one
     */
    HttpServer(InetSocketAddress address, SSLContext tls, Api api) throws IOException {
        this.api = api;
        var threads = new QueuedThreadPool(16, 4);
        threads.setName("http");
        threads.setVirtualThreadsExecutor(VirtualThreads.getDefaultVirtualThreadsExecutor());
        server = new Server(threads);
        var ssl = new SslContextFactory.Server();
        ssl.setSslContext(tls);
        connector =
                new ServerConnector(
                        server,
                        1,
                        1,
                        new SslConnectionFactory(ssl, "http/1.1"),
                        new HttpConnectionFactory(configuration()));
        connector.setHost(address.getHostString());
        connector.setPort(address.getPort());
        connector.setIdleTimeout(IDLE.toMillis());
        connector.setAcceptQueueSize(512);
        server.addConnector(connector);
        server.addBean(new NetworkConnectionLimit(MOST_CONNECTIONS, server));
        server.setHandler(new Entry());
        try {
            server.start();
        } catch (Exception e) {
            close();
            throw new IOException(
                    "cannot listen on " + address + ": " + Failures.message(rootOf(e)), e);
        }
    }

    private static HttpConfiguration configuration() {
        var configuration = new HttpConfiguration();
        configuration.setSendServerVersion(false);
        configuration.setRequestHeaderSize(HEADER_BYTES);
        configuration.setUriCompliance(UriCompliance.UNSAFE); // the router reads raw paths itself
        configuration.addCustomizer(new SecureRequestCustomizer(false));
        return configuration;
    }

    private static Throwable rootOf(Throwable failure) {
        Throwable cause = failure.getCause();
        return cause == null ? failure : rootOf(cause);
    }

    int port() {
        return connector.getLocalPort();
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception e) {
            LOG.log(System.Logger.Level.WARNING, "stopping the HTTP server", e);
        }
    }

    private final class Entry extends Handler.Abstract {
        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            try {
                InputStream body = Content.Source.asInputStream(request);
                Reply reply = answer(request, body);
                if (!SESSION.equals(header(request, "Content-Type"))) {
                    drain(request, body);
                }
                if (reply instanceof Reply.Duplex duplex) {
                    converse(response, duplex, body);
                } else {
                    send(request, response, reply);
                }
                callback.succeeded();
            } catch (IOException | UncheckedIOException e) {
                LOG.log(System.Logger.Level.DEBUG, "a client went away: " + e);
                callback.failed(e);
            }
            return true;
        }
    }

    private static void converse(Response response, Reply.Duplex reply, InputStream body)
            throws IOException {
        response.setStatus(reply.status());
        response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, reply.type());
        try (Reply.Session session = reply.session();
                OutputStream out = Content.Sink.asOutputStream(response)) {
            session.run(body, out);
        }
    }

    private Reply answer(Request request, InputStream body) {
        String path = request.getHttpURI().getPath();
        return api.answer(
                request.getMethod(),
                path == null ? "/" : path,
                header(request, "Content-Type"),
                header(request, "Authorization"),
                new Api.Calls() {
                    @Override
                    public Call with(Router.Match match, Users.User user) {
                        return call(request, body, match, user);
                    }

                    @Override
                    public Call anonymous(Router.Match match) {
                        return call(request, body, match, null);
                    }
                });
    }

    private static Call call(
            Request request, InputStream body, Router.Match match, Users.@Nullable User user) {
        String path = request.getHttpURI().getPath();
        Map<String, List<String>> query = Call.parseQuery(request.getHttpURI().getQuery());
        return new Call(
                request.getMethod(),
                path == null ? "/" : path,
                match.parameters(),
                query,
                name -> header(request, name == null ? "" : name),
                user,
                request.getLength(),
                body);
    }

    private static @Nullable String header(Request request, String name) {
        return request.getHeaders().get(name);
    }

    /**
     * Reads a body to its end before the answer goes out: to a client that still sends, a reset
     * looks like a lost connection, and it would send all of it again.
     */
    private static void drain(Request request, InputStream body) throws IOException {
        if (header(request, "Expect") != null) {
            return; // such a client waits for a word before it sends
        }
        byte[] block = new byte[64 * 1024];
        long read = 0;
        for (int got = 0; got >= 0 && read < MOST_DRAINED; read += got) {
            got = body.read(block);
        }
    }

    private void send(Request request, Response response, Reply reply) throws IOException {
        response.setStatus(reply.status());
        var headers = response.getHeaders();
        headers.put(HttpHeader.CACHE_CONTROL, "no-store");
        switch (reply) {
            case Reply.Content content -> {
                headers.put(HttpHeader.CONTENT_TYPE, content.type());
                bytes(request, response, content.body());
            }
            case Reply.Empty ignored -> {
                if (reply.status() != 204) {
                    headers.put(HttpHeader.CONTENT_LENGTH, 0);
                }
                close(response);
            }
            case Reply.Redirect redirect -> {
                headers.put(HttpHeader.LOCATION, redirect.location());
                headers.put(HttpHeader.CONTENT_LENGTH, 0);
                close(response);
            }
            case Reply.Unauthenticated refused -> {
                headers.put(HttpHeader.WWW_AUTHENTICATE, "Basic realm=\"BOSH Director\"");
                headers.put(HttpHeader.CONTENT_TYPE, "text/plain;charset=utf-8");
                bytes(request, response, "Not authorized: '" + refused.path() + "'\n");
            }
            case Reply.File file -> file(request, response, file);
            case Reply.Duplex duplex -> throw new IllegalStateException("a session is no answer");
        }
    }

    private static void bytes(Request request, Response response, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
        try (OutputStream out = Content.Sink.asOutputStream(response)) {
            if (!request.getMethod().equals("HEAD")) {
                out.write(body);
            }
        }
    }

    private static void close(Response response) throws IOException {
        Content.Sink.asOutputStream(response).close();
    }

    private void file(Request request, Response response, Reply.File reply) throws IOException {
        long from = 0;
        long to = reply.size();
        var headers = response.getHeaders();
        String range = header(request, "Range");
        Matcher matcher = RANGE.matcher(range == null ? "" : range.strip());
        if (reply.ranges() && matcher.matches()) {
            from = Long.parseLong(matcher.group(1));
            if (!matcher.group(2).isEmpty()) {
                to = Math.min(to, Long.parseLong(matcher.group(2)) + 1);
            }
            if (from >= to) {
                response.setStatus(416);
                headers.put(HttpHeader.CONTENT_RANGE, "bytes */" + reply.size());
                headers.put(HttpHeader.CONTENT_LENGTH, 0);
                close(response);
                return;
            }
            response.setStatus(206);
            headers.put(
                    HttpHeader.CONTENT_RANGE,
                    "bytes " + from + "-" + (to - 1) + "/" + reply.size());
        }
        headers.put(HttpHeader.CONTENT_TYPE, reply.type());
        headers.put(HttpHeader.CONTENT_LENGTH, to - from);
        try (OutputStream out = Content.Sink.asOutputStream(response);
                FileChannel channel = FileChannel.open(reply.file(), StandardOpenOption.READ)) {
            if (!request.getMethod().equals("HEAD")) {
                copy(channel, from, to, out);
            }
        }
    }

    private static void copy(FileChannel channel, long from, long to, OutputStream out)
            throws IOException {
        channel.position(from);
        InputStream in = Channels.newInputStream(channel);
        byte[] block = new byte[64 * 1024];
        for (long left = to - from; left > 0; ) {
            int got = in.read(block, 0, (int) Math.min(block.length, left));
            if (got < 0) {
                throw new IOException("the file became shorter while it was sent");
            }
            out.write(block, 0, got);
            left -= got;
        }
    }
}
