package dev.berth.alerts;

import dev.berth.model.Secret;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Whom TLS trusts. */
final class Trust {
    private Trust() {}

    /**
     * @param pem authorities; null: those of the machine
     * @throws IllegalArgumentException it holds no certificate
     */
    static SSLContext of(@Nullable Secret pem) {
        try {
            if (pem == null) {
                return SSLContext.getDefault();
            }
            KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
            anchors.load(null, null);
            var found =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(
                                    new ByteArrayInputStream(
                                            pem.reveal().getBytes(StandardCharsets.UTF_8)));
            if (found.isEmpty()) {
                throw new IllegalArgumentException("'ca' holds no certificate");
            }
            int n = 0;
            for (var certificate : found) {
                anchors.setCertificateEntry("ca" + n++, certificate);
            }
            var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(anchors);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException("'ca' cannot be read: " + e.getMessage(), e);
        }
    }
}
