package dev.berth.bus;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigInteger;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemWriter;
import org.jspecify.annotations.Nullable;

/**
 * Makes X.509 certificates: those of Berth itself and those that manifests ask for as variables of
 * type {@code certificate}. Stateless.
 */
public final class CertificateMaker {
    /** A clock that lags behind ours by this much still accepts a certificate made just now. */
    private static final Duration SKEW = Duration.ofMinutes(10);

    private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|.*:.*");
    private static final SecureRandom RANDOM = new SecureRandom();

    private CertificateMaker() {}

    /** Kinds of key. EC is made in a millisecond; RSA takes a tenth of a second and more. */
    public enum Key {
        EC_P256,
        RSA_2048,
        RSA_3072,
        RSA_4096;

        /** The kind for a {@code key_length} of a manifest. */
        public static Key rsa(int bits) {
            return switch (bits) {
                case 2048 -> RSA_2048;
                case 3072 -> RSA_3072;
                case 4096 -> RSA_4096;
                default ->
                        throw new IllegalArgumentException(
                                "key_length should be 2048, 3072 or 4096, not " + bits);
            };
        }
    }

    /** What a certificate may be used for; written to the certificate unless empty. */
    public enum Use {
        SERVER,
        CLIENT
    }

    /**
     * What is wanted.
     *
     * @param country C of the subject; BOSH agents have {@code USA}, against the two-letter rule
     * @param organizations O of the subject
     * @param alternativeNames DNS names, or addresses, which become IP entries
     */
    public record Request(
            String commonName,
            @Nullable String country,
            List<String> organizations,
            List<String> alternativeNames,
            boolean isCa,
            Set<Use> uses,
            Duration lifetime,
            Key key) {
        public static Request ca(String commonName, Duration lifetime) {
            return new Request(
                    commonName,
                    null,
                    List.of("Cloud Foundry"),
                    List.of(),
                    true,
                    Set.of(),
                    lifetime,
                    Key.EC_P256);
        }

        public static Request leaf(
                String commonName, List<String> alternativeNames, Set<Use> uses, Key key) {
            return new Request(
                    commonName,
                    "USA",
                    List.of("Cloud Foundry"),
                    alternativeNames,
                    false,
                    uses,
                    Duration.ofDays(730),
                    key);
        }

        Request living(Duration time) {
            return new Request(
                    commonName, country, organizations, alternativeNames, isCa, uses, time, key);
        }
    }

    /** A certificate and its key (PKCS#8, unencrypted) in PEM; the key is never printed. */
    public record Pair(String certificate, String privateKey) {
        @Override
        public String toString() {
            return "Pair[<redacted>]";
        }
    }

    /** A certificate that vouches for itself. */
    public static Pair selfSigned(Request request, Instant now) {
        KeyPair keys = keys(request.key());
        return certificate(request, now, keys, subject(request), keys.getPrivate(), null);
    }

    /** A certificate signed by a CA, which may be an intermediate one. */
    public static Pair signedBy(Pair ca, Request request, Instant now) {
        return signedBy(ca, request, now, keys(request.key()));
    }

    private static Pair signedBy(Pair ca, Request request, Instant now, KeyPair keys) {
        X509Certificate issuer = parse(ca.certificate());
        X500Name name = X500Name.getInstance(issuer.getSubjectX500Principal().getEncoded());
        return certificate(request, now, keys, name, parseKey(ca.privateKey()), issuer);
    }

    /** A certificate for a key that its holder keeps to itself. */
    static String signedFor(Pair ca, Request request, PublicKey holder, Instant now) {
        X509Certificate issuer = parse(ca.certificate());
        X500Name name = X500Name.getInstance(issuer.getSubjectX500Principal().getEncoded());
        return certificate(request, now, holder, name, parseKey(ca.privateKey()), issuer);
    }

    private static Pair certificate(
            Request request,
            Instant now,
            KeyPair keys,
            X500Name issuer,
            PrivateKey signer,
            @Nullable X509Certificate issuerCertificate) {
        return new Pair(
                certificate(request, now, keys.getPublic(), issuer, signer, issuerCertificate),
                pem("PRIVATE KEY", keys.getPrivate().getEncoded()));
    }

    private static String certificate(
            Request request,
            Instant now,
            PublicKey holder,
            X500Name issuer,
            PrivateKey signer,
            @Nullable X509Certificate issuerCertificate) {
        try {
            var builder =
                    new JcaX509v3CertificateBuilder(
                            issuer,
                            new BigInteger(127, RANDOM).setBit(126),
                            Date.from(now.minus(SKEW)),
                            Date.from(now.plus(request.lifetime())),
                            subject(request),
                            holder);
            extend(builder, request);
            var tools = new JcaX509ExtensionUtils();
            builder.addExtension(
                    Extension.subjectKeyIdentifier,
                    false,
                    tools.createSubjectKeyIdentifier(holder));
            builder.addExtension(
                    Extension.authorityKeyIdentifier,
                    false,
                    issuerCertificate == null
                            ? tools.createAuthorityKeyIdentifier(holder)
                            : tools.createAuthorityKeyIdentifier(issuerCertificate.getPublicKey()));
            String algorithm =
                    signer.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
            X509CertificateHolder made =
                    builder.build(new JcaContentSignerBuilder(algorithm).build(signer));
            return pem("CERTIFICATE", made.getEncoded());
        } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
            throw new IllegalStateException(
                    "cannot make a certificate for " + request.commonName(), e);
        }
    }

    private static void extend(JcaX509v3CertificateBuilder builder, Request request)
            throws CertIOException {
        int usage =
                request.isCa()
                        ? KeyUsage.keyCertSign | KeyUsage.cRLSign
                        : request.key() == Key.EC_P256 || !request.uses().contains(Use.SERVER)
                                ? KeyUsage.digitalSignature
                                : KeyUsage.digitalSignature | KeyUsage.keyEncipherment;
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
        builder.addExtension(
                Extension.basicConstraints, true, new BasicConstraints(request.isCa()));
        if (!request.uses().isEmpty()) {
            KeyPurposeId[] purposes =
                    request.uses().stream()
                            .sorted()
                            .map(use ->
                                    switch (use) {
                                        case SERVER -> KeyPurposeId.id_kp_serverAuth;
                                        case CLIENT -> KeyPurposeId.id_kp_clientAuth;
                                    })
                            .toArray(KeyPurposeId[]::new);
            builder.addExtension(Extension.extendedKeyUsage, true, new ExtendedKeyUsage(purposes));
        }
        if (!request.alternativeNames().isEmpty()) {
            GeneralName[] names =
                    request.alternativeNames().stream()
                            .map(CertificateMaker::alternativeName)
                            .toArray(GeneralName[]::new);
            builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names));
        }
    }

    private static GeneralName alternativeName(String name) {
        return new GeneralName(isAddress(name) ? GeneralName.iPAddress : GeneralName.dNSName, name);
    }

    /** Whether a name is an address, without asking any name server. */
    static boolean isAddress(String name) {
        if (!ADDRESS.matcher(name).matches()) {
            return false;
        }
        try {
            InetAddress.ofLiteral(name);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** In the order in which BOSH encodes it: C, O, CN. */
    private static X500Name subject(Request request) {
        var builder = new X500NameBuilder(BCStyle.INSTANCE);
        if (request.country() != null) {
            // As an encoded value: as text the library would insist on two letters.
            builder.addRDN(BCStyle.C, new DERPrintableString(request.country()));
        }
        for (String organization : request.organizations()) {
            builder.addRDN(BCStyle.O, organization);
        }
        builder.addRDN(BCStyle.CN, request.commonName());
        return builder.build();
    }

    private static KeyPair keys(Key kind) {
        try {
            if (kind == Key.EC_P256) {
                KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
                generator.initialize(new ECGenParameterSpec("secp256r1"));
                return generator.generateKeyPair();
            }
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(
                    switch (kind) {
                        case RSA_2048 -> 2048;
                        case RSA_3072 -> 3072;
                        default -> 4096;
                    });
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK cannot make " + kind + " keys", e);
        }
    }

    /** Reads one certificate; throws {@link IllegalArgumentException} when it is none. */
    public static X509Certificate parse(String pem) {
        return chain(pem).getFirst();
    }

    /** Reads all certificates of a text, at least one. */
    static List<X509Certificate> chain(String pem) {
        try (var parser = new PEMParser(new StringReader(pem))) {
            var chain = new ArrayList<X509Certificate>();
            var converter = new JcaX509CertificateConverter();
            for (Object o = parser.readObject(); o != null; o = parser.readObject()) {
                if (o instanceof X509CertificateHolder holder) {
                    chain.add(converter.getCertificate(holder));
                }
            }
            if (chain.isEmpty()) {
                throw new IllegalArgumentException("no certificate in PEM form");
            }
            return chain;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalArgumentException("not a certificate in PEM form", e);
        }
    }

    /** Reads an unencrypted key in PKCS#8, PKCS#1 or SEC1 form; errors never show any of it. */
    static PrivateKey parseKey(String pem) {
        try (var parser = new PEMParser(new StringReader(pem))) {
            var converter = new JcaPEMKeyConverter();
            return switch (parser.readObject()) {
                case PrivateKeyInfo info -> converter.getPrivateKey(info);
                case PEMKeyPair pair -> converter.getPrivateKey(pair.getPrivateKeyInfo());
                case null, default ->
                        throw new IllegalArgumentException("no private key in PEM form");
            };
        } catch (IOException e) {
            throw new IllegalArgumentException("not a private key in PEM form");
        }
    }

    static String pem(X509Certificate certificate) {
        try {
            return pem("CERTIFICATE", certificate.getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether the two belong together: what the key signs, the certificate bears out. */
    static boolean belong(Pair pair) {
        try {
            PrivateKey key = parseKey(pair.privateKey());
            byte[] words = {1, 2, 3};
            String algorithm =
                    key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
            Signature signing = Signature.getInstance(algorithm);
            signing.initSign(key);
            signing.update(words);
            return isSignedBy(parse(pair.certificate()).getPublicKey(), words, signing.sign());
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return false;
        }
    }

    /** Whether the holder of a key signed this, with SHA-256. */
    static boolean isSignedBy(PublicKey holder, byte[] words, byte[] signature) {
        try {
            String algorithm =
                    holder.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
            Signature check = Signature.getInstance(algorithm);
            check.initVerify(holder);
            check.update(words);
            return check.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    static String pem(String type, byte[] content) {
        var text = new StringWriter();
        try (var writer = new PemWriter(text)) {
            writer.writeObject(new PemObject(type, content));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return text.toString();
    }
}
