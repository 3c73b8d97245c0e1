package dev.berth.director;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A server certificate with an RSA key, made once per test run with the JDK's own tool. */
final class TestTls {
    private static final char[] PASSWORD = "changeit".toCharArray();

    private TestTls() {}

    /** Trusts its own certificate: fit for both sides. */
    static SSLContext context() throws IOException, GeneralSecurityException {
        Path folder = Files.createTempDirectory("berth-tls");
        Path file = folder.resolve("keys.p12");
        try {
            String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
            Process process =
                    new ProcessBuilder(
                                    List.of(
                                            keytool,
                                            "-genkeypair",
                                            "-alias",
                                            "d",
                                            "-keyalg",
                                            "RSA",
                                            "-keysize",
                                            "2048",
                                            "-dname",
                                            "CN=127.0.0.1",
                                            "-ext",
                                            "san=ip:127.0.0.1",
                                            "-storetype",
                                            "PKCS12",
                                            "-storepass",
                                            "changeit",
                                            "-keystore",
                                            file.toString()))
                            .redirectErrorStream(true)
                            .start();
            String said = new String(process.getInputStream().readAllBytes());
            if (process.waitFor() != 0) {
                throw new IOException(said);
            }
            return of(file);
        } catch (InterruptedException e) {
            throw new IOException(e);
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        }
    }

    private static SSLContext of(Path file) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD);
        }
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, PASSWORD);
        trusted.setCertificateEntry("d", store.getCertificate("d"));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
