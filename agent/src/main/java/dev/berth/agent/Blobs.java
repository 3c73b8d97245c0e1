package dev.berth.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.berth.model.Digests;
import dev.berth.model.Fields;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * Blobs by id, from what was uploaded over the bus, by a signed URL, or from the configured
 * blobstore ({@code local} or {@code dav}). Downloads are bounded and checked.
 */
final class Blobs {
    private static final long LARGEST = 4L * 1024 * 1024 * 1024;
    private static final int CONNECT_MILLIS = 10_000;
    private static final int SILENCE_MILLIS = 60_000;

    private final Layout layout;
    private final Supplier<Settings> settings;

    Blobs(Layout layout, Supplier<Settings> settings) {
        this.layout = layout;
        this.settings = settings;
    }

    /** Keeps a blob that came over the bus; its content is never logged. */
    void keep(String id, String digest, byte[] content) throws IOException {
        Path target = layout.sensitiveBlobs().resolve(checked(id));
        Files.createDirectories(layout.sensitiveBlobs());
        Path fresh = target.resolveSibling(id + ".new");
        Files.deleteIfExists(fresh);
        Files.createFile(
                fresh,
                java.nio.file.attribute.PosixFilePermissions.asFileAttribute(
                        java.nio.file.attribute.PosixFilePermissions.fromString("rw-------")));
        Files.write(fresh, content);
        try {
            MultiDigest.verify(fresh, digest);
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    /** A verified copy in a temporary file, which the caller deletes. */
    Path fetch(String id, String digest, String signedUrl, Map<String, String> headers)
            throws IOException {
        Files.createDirectories(layout.temporary());
        Path copy = Files.createTempFile(layout.temporary(), "blob", "");
        try {
            download(id, signedUrl, headers, copy);
            MultiDigest.verify(copy, digest);
            return copy;
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(copy);
            throw e;
        }
    }

    private void download(String id, String signedUrl, Map<String, String> headers, Path to)
            throws IOException {
        if (!id.isEmpty()) {
            Path kept = layout.sensitiveBlobs().resolve(checked(id));
            if (Files.exists(kept)) {
                Files.copy(kept, to, StandardCopyOption.REPLACE_EXISTING);
                return;
            }
        }
        if (!signedUrl.isEmpty()) {
            get(open(signedUrl, headers), to);
            return;
        }
        Fields store = settings.get().blobstore();
        switch (store.string("provider", "")) {
            case "local" -> Files.copy(local(store, id), to, StandardCopyOption.REPLACE_EXISTING);
            case "dav" -> get(open(dav(store, id), login(store)), to);
            default -> throw noStore(store);
        }
    }

    /** Stores a file under a new id and returns that. */
    String store(Path file) throws IOException {
        String id = UUID.randomUUID().toString();
        Fields store = settings.get().blobstore();
        switch (store.string("provider", "")) {
            case "local" -> Files.copy(file, local(store, id));
            case "dav" -> put(dav(store, id), login(store), file);
            default -> throw noStore(store);
        }
        return id;
    }

    /** One PUT, as signed URLs ask. */
    void put(String url, Map<String, String> headers, Path file) throws IOException {
        HttpURLConnection connection = open(url, headers);
        connection.setRequestMethod("PUT");
        connection.setDoOutput(true);
        connection.setFixedLengthStreamingMode(Files.size(file));
        try (OutputStream out = connection.getOutputStream()) {
            Files.copy(file, out);
        }
        int code = connection.getResponseCode();
        connection.disconnect();
        if (code / 100 != 2) {
            throw new ActionException("uploading the blob was answered with status " + code);
        }
    }

    private static void get(HttpURLConnection connection, Path to) throws IOException {
        int code = connection.getResponseCode();
        if (code != 200) {
            connection.disconnect();
            throw new ActionException("downloading the blob was answered with status " + code);
        }
        try (InputStream in = connection.getInputStream();
                OutputStream out = Files.newOutputStream(to)) {
            byte[] block = new byte[64 * 1024];
            long count = 0;
            for (int n = in.read(block); n >= 0; n = in.read(block)) {
                count += n;
                if (count > LARGEST) {
                    throw new ActionException("the blob is larger than " + LARGEST + " bytes");
                }
                out.write(block, 0, n);
            }
        }
    }

    private HttpURLConnection open(String url, Map<String, String> headers) throws IOException {
        URI address = URI.create(url);
        if (!"https".equals(address.getScheme()) && !"http".equals(address.getScheme())) {
            throw new ActionException("a blob's URL must be http or https");
        }
        var connection = (HttpURLConnection) address.toURL().openConnection();
        connection.setConnectTimeout(CONNECT_MILLIS);
        connection.setReadTimeout(SILENCE_MILLIS);
        connection.setInstanceFollowRedirects(false);
        headers.forEach(connection::setRequestProperty);
        String ca =
                settings.get()
                        .blobstore()
                        .object("options")
                        .object("tls")
                        .object("cert")
                        .string("ca", "");
        if (connection instanceof HttpsURLConnection tls && !ca.isBlank()) {
            tls.setSSLSocketFactory(trusting(ca).getSocketFactory());
        }
        return connection;
    }

    /** The system's authorities and the blobstore's own. */
    private static SSLContext trusting(String ca) throws IOException {
        try {
            TrustManagerFactory system = TrustManagerFactory.getInstance("PKIX");
            system.init((KeyStore) null);
            List<X509Certificate> all = new ArrayList<>(Pem.certificates(ca));
            if (system.getTrustManagers()[0] instanceof X509TrustManager known) {
                all.addAll(List.of(known.getAcceptedIssuers()));
            }
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {BusTls.trust(all)}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException(
                    "the blobstore's CA cannot be used: " + ActionException.words(e), e);
        }
    }

    private static Path local(Fields store, String id) {
        return Path.of(store.object("options").string("blobstore_path")).resolve(checked(id));
    }

    private static String dav(Fields store, String id) {
        String folder = Digests.sha1(checked(id).getBytes(UTF_8)).substring(0, 2);
        return store.object("options").string("endpoint") + "/" + folder + "/" + id;
    }

    private static Map<String, String> login(Fields store) {
        Fields options = store.object("options");
        String pair = options.string("user", "") + ":" + options.string("password", "");
        return Map.of(
                "Authorization",
                "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(UTF_8)));
    }

    private static ActionException noStore(Fields store) {
        return new ActionException(
                "blobstore provider '"
                        + store.string("provider", "")
                        + "' is not one this agent speaks (local, dav); use signed URLs");
    }

    private static String checked(String id) {
        if (!id.matches("[a-zA-Z0-9][a-zA-Z0-9_.\\-]{0,127}")) {
            throw new ActionException("'" + id + "' is no blob id");
        }
        return id;
    }
}
