package dev.berth.bus;

import dev.berth.bus.CertificateMaker.Key;
import dev.berth.bus.CertificateMaker.Pair;
import dev.berth.bus.CertificateMaker.Request;
import dev.berth.bus.CertificateMaker.Use;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The environment's certificates, in one folder: a CA made at the first start, and what it signs.
 * Certificates of servers and of the director's own clients live in files {@code NAME.crt} and
 * {@code NAME.key} (0600) and are made anew when they near their end, lack a name or come from
 * another CA; agents' certificates live in their VMs' settings only.
 *
 * <p>Keys are EC P-256, which the stock agent accepts as well and which is made in a millisecond
 * where RSA 3072 takes half a second; the servers that the BOSH CLI talks to have RSA keys, as it
 * offers no other under TLS 1.2. Thread-safe.
 */
public final class Pki {
    private static final System.Logger LOG = System.getLogger(Pki.class.getName());
    private static final Duration CA_LIFETIME = Duration.ofDays(3_650);

    private static final Duration LIFETIME = Duration.ofDays(730);

    /** A director runs for weeks between starts, and certificates are looked at only then. */
    private static final Duration RENEW_BEFORE = Duration.ofDays(90);

    private final Path folder;
    private final Clock clock;
    private final Pair ca;

    private Pki(Path folder, Clock clock) {
        this.folder = folder;
        this.clock = clock;
        this.ca = loadOrMakeCa();
    }

    /** Opens the folder, making it and the CA when missing; blocking, but short. */
    public static Pki open(Path folder, Clock clock) {
        PrivateFiles.folder(folder);
        return new Pki(folder, clock);
    }

    private Pair loadOrMakeCa() {
        Path certificate = folder.resolve("ca.crt");
        Path key = folder.resolve("ca.key");
        if (Files.exists(certificate)) {
            if (!Files.exists(key)) {
                throw new IllegalStateException(
                        "the CA's key "
                                + key
                                + " is missing; restore it, or remove "
                                + folder
                                + " to begin a new environment");
            }
            Pair pair = new Pair(read(certificate), read(key));
            warnIfOld(CertificateMaker.parse(pair.certificate()));
            return pair;
        }
        Pair made = CertificateMaker.selfSigned(Request.ca("Berth CA", CA_LIFETIME), clock.now());
        save("ca", made);
        return made;
    }

    private void warnIfOld(X509Certificate certificate) {
        if (clock.now().plus(RENEW_BEFORE).isAfter(certificate.getNotAfter().toInstant())) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "the environment's CA in {0} ends on {1}",
                    folder,
                    certificate.getNotAfter());
        }
    }

    /**
     * Until when a certificate in PEM is good.
     *
     * @throws IllegalArgumentException it is none
     */
    public static java.time.Instant endOf(String certificate) {
        return CertificateMaker.parse(certificate).getNotAfter().toInstant();
    }

    /** The CA's certificate in PEM: what clients are told to trust. */
    public String caCertificate() {
        return ca.certificate();
    }

    /** The CA itself, for signing. */
    public Pair ca() {
        return ca;
    }

    public Path caFile() {
        return folder.resolve("ca.crt");
    }

    public Path certificateFile(String name) {
        return folder.resolve(name + ".crt");
    }

    public Path keyFile(String name) {
        return folder.resolve(name + ".key");
    }

    /** New credentials of an agent; kept nowhere here. */
    public AgentSettings.Certificate agent(AgentId agent) {
        Pair pair =
                CertificateMaker.signedBy(
                        ca,
                        Request.leaf(
                                agent + ".agent.bosh-internal",
                                List.of(),
                                Set.of(Use.CLIENT),
                                Key.EC_P256),
                        clock.now());
        return new AgentSettings.Certificate(
                ca.certificate(), pair.certificate(), pair.privateKey());
    }

    /**
     * {@link #server(String, List, Key)} with RSA, so that every client of BOSH's API can use it.
     */
    public Pair server(String name, List<String> hosts) {
        return server(name, hosts, Key.RSA_2048);
    }

    /**
     * The certificate of a TLS server under a file name of its own.
     *
     * @param hosts names and addresses under which clients reach it; the first is the CN
     * @param key only looked at when the certificate is made
     */
    public Pair server(String name, List<String> hosts, Key key) {
        return kept(
                name,
                new Request(
                        hosts.getFirst(),
                        null,
                        List.of("Cloud Foundry"),
                        hosts,
                        false,
                        Set.of(Use.SERVER),
                        LIFETIME,
                        key));
    }

    /** The NATS server's: agents check its CN beside the host they dialled. */
    Pair natsServer(Collection<String> hosts) {
        return kept(
                "nats",
                Request.leaf(
                        "default.nats.bosh-internal",
                        List.copyOf(hosts),
                        Set.of(Use.SERVER),
                        Key.EC_P256));
    }

    Pair client(BusUser user) {
        return kept(
                user.fileName(),
                Request.leaf(user.commonName(), List.of(), Set.of(Use.CLIENT), Key.EC_P256));
    }

    private synchronized Pair kept(String name, Request request) {
        Path certificate = certificateFile(name);
        if (Files.exists(certificate) && Files.exists(keyFile(name))) {
            Pair pair = new Pair(read(certificate), read(keyFile(name)));
            if (isGood(pair, request)) {
                return pair;
            }
        }
        Pair made = CertificateMaker.signedBy(ca, request, clock.now());
        save(name, made);
        return made;
    }

    private boolean isGood(Pair pair, Request wanted) {
        try {
            X509Certificate certificate = CertificateMaker.parse(pair.certificate());
            certificate.verify(CertificateMaker.parse(ca.certificate()).getPublicKey());
            return clock.now().plus(RENEW_BEFORE).isBefore(certificate.getNotAfter().toInstant())
                    && certificate
                            .getSubjectX500Principal()
                            .getName()
                            .contains("CN=" + wanted.commonName())
                    && names(certificate).containsAll(wanted.alternativeNames());
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return false;
        }
    }

    private static Set<String> names(X509Certificate certificate) throws CertificateException {
        Collection<List<?>> entries = certificate.getSubjectAlternativeNames();
        var names = new HashSet<String>();
        if (entries != null) {
            entries.forEach(entry -> names.add(String.valueOf(entry.get(1))));
        }
        return names;
    }

    /** Key first: a certificate without a key would look whole after a crash in between. */
    private void save(String name, Pair pair) {
        PrivateFiles.write(keyFile(name), pair.privateKey());
        PrivateFiles.write(certificateFile(name), pair.certificate());
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** TLS with a certificate of one's own, trusting nothing but the given CA. */
    public static SSLContext tls(String caCertificate, Pair own) {
        try {
            char[] noPassword = new char[0];
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(null, noPassword);
            keys.setKeyEntry(
                    "own",
                    CertificateMaker.parseKey(own.privateKey()),
                    noPassword,
                    CertificateMaker.chain(own.certificate()).toArray(new X509Certificate[0]));
            KeyManagerFactory keyManagers =
                    KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keyManagers.init(keys, noPassword);
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, noPassword);
            int number = 0;
            for (X509Certificate certificate : CertificateMaker.chain(caCertificate)) {
                trusted.setCertificateEntry("ca" + number++, certificate);
            }
            TrustManagerFactory trustManagers =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trustManagers.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("cannot set up TLS", e);
        }
    }
}
