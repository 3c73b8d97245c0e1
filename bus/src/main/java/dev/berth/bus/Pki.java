package dev.berth.bus;

import dev.berth.bus.CertificateMaker.Key;
import dev.berth.bus.CertificateMaker.Pair;
import dev.berth.bus.CertificateMaker.Request;
import dev.berth.bus.CertificateMaker.Use;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.Digests;
import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/**
 * The environment's certificates, in one folder: a CA made at the first start, and what it signs.
 * Certificates of servers and of the director's own clients live in files {@code NAME.crt} and
 * {@code NAME.key} (0600) and are made anew in the last third of their life, when they lack a name
 * or come from another CA; agents' certificates live in their VMs' settings only.
 *
 * <p>Keys are EC P-256, which the stock agent accepts as well and which is made in a millisecond
 * where RSA 3072 takes half a second; the servers that the BOSH CLI talks to have RSA keys, as it
 * offers no other under TLS 1.2. Thread-safe.
 */
public final class Pki {

    /**
     * For how long certificates are good; each is made anew when a third of its life is left.
     *
     * @param ca of the CA, which no machine changes by itself
     * @param leaf of all others
     */
    public record Lifetimes(Duration ca, Duration leaf) {
        /** As the stock director's: ten years and two. */
        public static final Lifetimes USUAL =
                new Lifetimes(Duration.ofDays(3_650), Duration.ofDays(730));
    }

    private final Path folder;
    private final Clock clock;
    private final Lifetimes lifetimes;
    private volatile Authorities authorities;

    private Pki(Path folder, Clock clock, Lifetimes lifetimes) {
        this.folder = folder;
        this.clock = clock;
        this.lifetimes = lifetimes;
        this.authorities = Authorities.load(folder, clock, lifetimes.ca());
    }

    /** Opens the folder, making it and the CA when missing; blocking, but short. */
    public static Pki open(Path folder, Clock clock) {
        return open(folder, clock, Lifetimes.USUAL);
    }

    /** {@link #open(Path, Clock)} with other lifetimes for what is made from now on. */
    public static Pki open(Path folder, Clock clock, Lifetimes lifetimes) {
        PrivateFiles.folder(folder);
        return new Pki(folder, clock, lifetimes);
    }

    /**
     * Until when a certificate in PEM is good.
     *
     * @throws IllegalArgumentException it is none
     */
    public static Instant endOf(String certificate) {
        return CertificateMaker.parse(certificate).getNotAfter().toInstant();
    }

    /**
     * From when on a certificate in PEM is to be made anew: the last third of its life.
     *
     * @throws IllegalArgumentException it is none
     */
    public static Instant renewalOf(String certificate) {
        X509Certificate parsed = CertificateMaker.parse(certificate);
        Instant begin = parsed.getNotBefore().toInstant();
        Instant end = parsed.getNotAfter().toInstant();
        return end.minus(Duration.between(begin, end).dividedBy(3));
    }

    /**
     * What clients are told to trust, in PEM: the CA's certificate and, while the CA is being
     * changed, the next one's.
     */
    public String caCertificate() {
        return authorities.trusted();
    }

    /** Whether two CAs are trusted, for one takes the other's place. */
    public boolean isRotating() {
        return authorities.next() != null;
    }

    /** Names the CA that signs agents. */
    public String signer() {
        return Digests.sha256(authorities.newest().certificate());
    }

    /** Names the CA of this environment that signed a certificate in PEM; empty: none did. */
    public String signerOf(String certificate) {
        X509Certificate parsed = CertificateMaker.parse(certificate);
        Authorities now = authorities;
        for (X509Certificate ca : now.certificates()) {
            try {
                parsed.verify(ca.getPublicKey());
                return Digests.sha256(CertificateMaker.pem(ca));
            } catch (GeneralSecurityException e) {
                continue; // the other one did, perhaps
            }
        }
        return "";
    }

    /** {@link #renewalOf} of a certificate of this folder. */
    public Instant renewalOfFile(String name) {
        return renewalOf(Authorities.read(certificateFile(name)));
    }

    /**
     * Whether a certificate of this folder is in the last third of its life, of a former CA or not
     * there: whoever asks for it gets a new one.
     */
    public boolean isDue(String name) {
        Path file = certificateFile(name);
        if (!Files.exists(file)) {
            return true;
        }
        String certificate = Authorities.read(file);
        String serving = Digests.sha256(authorities.current().certificate());
        return !clock.now().isBefore(renewalOf(certificate))
                || !signerOf(certificate).equals(serving);
    }

    /** Names what agents are told to trust. */
    public String trust() {
        return Digests.sha256(authorities.trusted());
    }

    /**
     * Makes the next CA. From here on both are trusted and agents are signed by the next one;
     * servers stay with the former one, which agents may be the only one to know. Nothing when that
     * is so already.
     */
    public synchronized void beginRotation() {
        authorities = authorities.begun(folder, clock, lifetimes.ca());
    }

    /**
     * The next CA takes the place of the former one, whose key is deleted: to be called when every
     * agent trusts the next one. Servers and own clients are made anew when next asked for. Nothing
     * when there is no next one.
     */
    public synchronized void endRotation() {
        authorities = authorities.ended(folder, clock, lifetimes.ca());
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
        Authorities now = authorities;
        Pair pair = CertificateMaker.signedBy(now.newest(), request(agent), clock.now());
        return new AgentSettings.Certificate(now.trusted(), pair.certificate(), pair.privateKey());
    }

    /**
     * A certificate for a key that the agent has made and keeps. It has shown on its own subject of
     * the bus, where nobody else may speak, that it is this agent, and by the signature that it has
     * the key.
     *
     * @param publicKey X.509 (SPKI), in Base64
     * @param proof signature of the agent's id in UTF-8 by that key with SHA-256, in Base64
     * @return {@code ca}, what to trust, and {@code certificate}, both in PEM
     * @throws IllegalArgumentException the key is none that is taken here (EC P-256 or more, RSA
     *     from 2048), or the proof does not belong to it
     */
    public Signed sign(AgentId agent, String publicKey, String proof) {
        PublicKey key = PublicKeys.read(publicKey);
        byte[] words = agent.value().getBytes(StandardCharsets.UTF_8);
        if (!CertificateMaker.isSignedBy(key, words, PublicKeys.base64(proof))) {
            throw new IllegalArgumentException(
                    "agent " + agent + " has not shown that it has the key of its request");
        }
        Authorities now = authorities;
        return new Signed(
                now.trusted(),
                CertificateMaker.signedFor(now.newest(), request(agent), key, clock.now()));
    }

    /** A certificate for a key that is elsewhere; texts in PEM. */
    public record Signed(String ca, String certificate) {}

    private Request request(AgentId agent) {
        return clientRequest(BusUser.agentName(agent.value())).living(lifetimes.leaf());
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
                        lifetimes.leaf(),
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
        return kept(user.fileName(), clientRequest(user.commonName()));
    }

    /** Of a client of the bus, which knows it by the name. */
    private static Request clientRequest(String name) {
        return Request.leaf(name, List.of(name), Set.of(Use.CLIENT), Key.EC_P256);
    }

    private synchronized Pair kept(String name, Request request) {
        Path certificate = certificateFile(name);
        if (Files.exists(certificate) && Files.exists(keyFile(name))) {
            Pair pair = new Pair(Authorities.read(certificate), Authorities.read(keyFile(name)));
            if (isGood(pair, request)) {
                return pair;
            }
        }
        Pair made =
                CertificateMaker.signedBy(
                        authorities.current(), request.living(lifetimes.leaf()), clock.now());
        save(name, made);
        return made;
    }

    private boolean isGood(Pair pair, Request wanted) {
        try {
            X509Certificate certificate = CertificateMaker.parse(pair.certificate());
            certificate.verify(
                    CertificateMaker.parse(authorities.current().certificate()).getPublicKey());
            return clock.now().isBefore(renewalOf(pair.certificate()))
                    && certificate
                            .getSubjectX500Principal()
                            .getName()
                            .contains("CN=" + wanted.commonName())
                    && names(certificate).containsAll(wanted.alternativeNames())
                    && CertificateMaker.belong(pair);
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

    /**
     * TLS of a server of this process, with the certificate that is in force at each handshake.
     *
     * @param name as in {@link #server(String, List)}, which was asked for before
     */
    public SSLContext liveServer(String name) {
        return LiveTls.context(() -> material(name));
    }

    /** TLS of one of the director's own users of the bus, the same way. */
    SSLContext liveClient(BusUser user) {
        client(user);
        return LiveTls.context(() -> material(user.fileName()));
    }

    /** Together, so that no handshake sees the key of one and the certificate of another. */
    private synchronized LiveTls.Material material(String name) {
        return new LiveTls.Material(
                new Pair(Authorities.read(certificateFile(name)), Authorities.read(keyFile(name))),
                caCertificate());
    }

    /** Makes the director's own clients' certificates anew where that is due. */
    public void renewClients() {
        for (BusUser user : BusUser.values()) {
            client(user);
        }
    }

    /** Throws the certificates of this folder but the CA's away, so that each is made anew. */
    public synchronized void forget(String name) {
        try {
            Files.deleteIfExists(certificateFile(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** When which certificate of this folder ends, by name: {@code ca}, {@code nats} and so on. */
    public SortedMap<String, Instant> ends() {
        var ends = new TreeMap<String, Instant>();
        try (var files = Files.newDirectoryStream(folder, "*.crt")) {
            for (Path file : files) {
                String name = String.valueOf(file.getFileName()).replaceFirst("\\.crt$", "");
                ends.put(name, endOf(Authorities.read(file)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return ends;
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
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    keyManagers.getKeyManagers(),
                    new TrustManager[] {LiveTls.trust(caCertificate)},
                    null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("cannot set up TLS", e);
        }
    }
}
