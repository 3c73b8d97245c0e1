package dev.berth.bus;

import dev.berth.bus.CertificateMaker.Pair;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.function.Supplier;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * TLS whose own certificate and trust are looked up at each handshake, so that a server goes on
 * listening, and a client comes back, with those that are in force then. Thread-safe.
 */
final class LiveTls {
    /** What is in force; texts in PEM. */
    record Material(Pair own, String trusted) {}

    /** The same, read; {@code alias} tells the one in force from those before it. */
    private record Read(
            Material of,
            String alias,
            X509Certificate[] chain,
            PrivateKey key,
            X509ExtendedTrustManager trust) {}

    private final Supplier<Material> source;
    private @Nullable Read now;
    private @Nullable Read before;
    private int count;

    private LiveTls(Supplier<Material> source) {
        this.source = source;
    }

    /** Blocks at handshakes only as long as the source does. */
    static SSLContext context(Supplier<Material> source) {
        var live = new LiveTls(source);
        live.now(); // what cannot be read is told here, not at the first handshake
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    new KeyManager[] {live.new Keys()},
                    new TrustManager[] {live.new Trust()},
                    null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot set up TLS", e);
        }
    }

    private synchronized Read now() {
        Material material = source.get();
        Read known = now;
        if (known != null && known.of().equals(material)) {
            return known;
        }
        Read fresh =
                new Read(
                        material,
                        "own-" + count++,
                        CertificateMaker.chain(material.own().certificate())
                                .toArray(new X509Certificate[0]),
                        CertificateMaker.parseKey(material.own().privateKey()),
                        trust(material.trusted()));
        before = known;
        now = fresh;
        return fresh;
    }

    /** A handshake asks by name for what it was told a moment ago, which may be former by now. */
    private synchronized @Nullable Read named(String alias) {
        Read known = now;
        if (known != null && known.alias().equals(alias)) {
            return known;
        }
        Read former = before;
        return former != null && former.alias().equals(alias) ? former : null;
    }

    static X509ExtendedTrustManager trust(String certificates) {
        try {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, new char[0]);
            int number = 0;
            for (X509Certificate certificate : CertificateMaker.chain(certificates)) {
                trusted.setCertificateEntry("ca" + number++, certificate);
            }
            TrustManagerFactory factory =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(trusted);
            return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("cannot set up TLS", e);
        }
    }

    private final class Keys extends X509ExtendedKeyManager {
        /** For a key of another kind there is nothing to offer. */
        private @Nullable String alias(String... kinds) {
            Read known = now();
            String own = known.key().getAlgorithm();
            for (String kind : kinds) {
                if (kind.equals(own) || kind.startsWith(own + "_")) {
                    return known.alias();
                }
            }
            return null;
        }

        @Override
        public String @Nullable [] getClientAliases(String kind, Principal @Nullable [] issuers) {
            String alias = alias(kind);
            return alias == null ? null : new String[] {alias};
        }

        @Override
        public @Nullable String chooseClientAlias(
                String[] kinds, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return alias(kinds);
        }

        @Override
        public @Nullable String chooseEngineClientAlias(
                String[] kinds, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return alias(kinds);
        }

        @Override
        public String @Nullable [] getServerAliases(String kind, Principal @Nullable [] issuers) {
            return getClientAliases(kind, issuers);
        }

        @Override
        public @Nullable String chooseServerAlias(
                String kind, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return alias(kind);
        }

        @Override
        public @Nullable String chooseEngineServerAlias(
                String kind, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return alias(kind);
        }

        @Override
        public X509Certificate @Nullable [] getCertificateChain(String alias) {
            Read read = named(alias);
            return read == null ? null : read.chain().clone();
        }

        @Override
        public @Nullable PrivateKey getPrivateKey(String alias) {
            Read read = named(alias);
            return read == null ? null : read.key();
        }
    }

    private final class Trust extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            now().trust().checkClientTrusted(chain, type, socket);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            now().trust().checkClientTrusted(chain, type, engine);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            now().trust().checkClientTrusted(chain, type);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            now().trust().checkServerTrusted(chain, type, socket);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            now().trust().checkServerTrusted(chain, type, engine);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            now().trust().checkServerTrusted(chain, type);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return now().trust().getAcceptedIssuers();
        }
    }
}
