package dev.berth.agent;

import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Mutual TLS to the bus: our certificate, the environment's CA, the name in the URL and, as BOSH
 * agents ask in addition, a leaf whose CN is {@code *.nats.bosh-internal}.
 */
final class BusTls {
    private static final Pattern BUS_NAME =
            Pattern.compile("(?:^|.*,\\s*)CN=[a-zA-Z0-9*\\-]*\\.nats\\.bosh-internal(?:,.*|$)");

    private BusTls() {}

    static SSLContext context(AgentSettings.Certificate credentials) {
        return context(credentials, true);
    }

    /** The other end of the same, for rehearsals: any certificate of the CA will do. */
    static SSLContext peer(AgentSettings.Certificate credentials) {
        return context(credentials, false);
    }

    private static SSLContext context(AgentSettings.Certificate credentials, boolean toBus) {
        try {
            char[] none = new char[0];
            KeyStore identity = KeyStore.getInstance("PKCS12");
            identity.load(null, none);
            identity.setKeyEntry(
                    "agent",
                    Pem.privateKey(credentials.privateKey()),
                    none,
                    Pem.certificates(credentials.certificate()).toArray(X509Certificate[]::new));
            KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
            keys.init(identity, none);
            X509ExtendedTrustManager authorities = trust(Pem.certificates(credentials.ca()));
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    keys.getKeyManagers(),
                    new TrustManager[] {toBus ? new BusTrust(authorities) : authorities},
                    null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new ActionException(
                    "the bus certificate in the settings cannot be used: "
                            + ActionException.words(e),
                    e);
        }
    }

    /** A trust manager for these authorities alone. */
    static X509ExtendedTrustManager trust(List<X509Certificate> authorities)
            throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (int i = 0; i < authorities.size(); i++) {
            store.setCertificateEntry("ca" + i, authorities.get(i));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
    }

    /** The NATS client asks for no host verification, so it is switched on here, per handshake. */
    private static final class BusTrust extends X509ExtendedTrustManager {
        private final X509ExtendedTrustManager authorities;

        BusTrust(X509ExtendedTrustManager authorities) {
            this.authorities = authorities;
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            if (!(socket instanceof SSLSocket tls)) {
                throw new CertificateException("not a TLS socket");
            }
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            tls.setSSLParameters(parameters);
            authorities.checkServerTrusted(chain, type, socket);
            String subject = chain[0].getSubjectX500Principal().getName();
            if (!BUS_NAME.matcher(subject).matches()) {
                throw new CertificateException(
                        "the bus shows a certificate of '"
                                + subject
                                + "', not of a *.nats.bosh-internal");
            }
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            throw new CertificateException("only sockets are used for the bus");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            throw new CertificateException("only sockets are used for the bus");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            throw new CertificateException("an agent serves nobody");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            throw new CertificateException("an agent serves nobody");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            throw new CertificateException("an agent serves nobody");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return authorities.getAcceptedIssuers();
        }
    }
}
