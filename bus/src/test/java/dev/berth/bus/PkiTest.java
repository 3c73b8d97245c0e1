package dev.berth.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.bus.CertificateMaker.Key;
import dev.berth.bus.CertificateMaker.Pair;
import dev.berth.bus.CertificateMaker.Request;
import dev.berth.bus.CertificateMaker.Use;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PkiTest {
    private static final Instant NOW = Instant.parse("2026-11-22T00:00:00Z");

    @TempDir Path folder;

    private Pki at(Instant now) {
        return Pki.open(folder, new FixedClock(now));
    }

    private record FixedClock(Instant now) implements Clock {
        @Override
        public void sleep(Duration time) {
            throw new UnsupportedOperationException();
        }
    }

    /** The shape of protocol reference 2.3: subject order, usages, two years. */
    @Test
    void anAgentsCertificateHasTheShapeOfTheProtocol() throws Exception {
        var made = at(NOW).agent(new AgentId("a-1"));
        X509Certificate certificate = CertificateMaker.parse(made.certificate());
        certificate.verify(CertificateMaker.parse(made.ca()).getPublicKey());
        assertThat(certificate.getSubjectX500Principal().getName())
                .isEqualTo("CN=a-1.agent.bosh-internal,O=Cloud Foundry,C=USA");
        assertThat(certificate.getSubjectAlternativeNames())
                .containsExactly(List.of(2, "a-1.agent.bosh-internal"));
        String der = HexFormat.of().formatHex(certificate.getSubjectX500Principal().getEncoded());
        assertThat(der.indexOf("550406")).isLessThan(der.indexOf("55040a"));
        assertThat(der.indexOf("55040a")).isLessThan(der.indexOf("550403"));
        assertThat(certificate.getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.2");
        assertThat(certificate.getCriticalExtensionOIDs())
                .containsExactlyInAnyOrder("2.5.29.15", "2.5.29.19", "2.5.29.37");
        assertThat(certificate.getKeyUsage()[0]).isTrue();
        assertThat(certificate.getBasicConstraints()).isEqualTo(-1);
        assertThat(certificate.getNotAfter().toInstant()).isEqualTo(NOW.plus(Duration.ofDays(730)));
        assertThat(made.privateKey()).startsWith("-----BEGIN PRIVATE KEY-----");
        assertThat(made.toString()).doesNotContain("BEGIN");
    }

    @Test
    void theCaIsMadeOnceAndItsKeyIsPrivate() throws Exception {
        String first = at(NOW).caCertificate();
        assertThat(at(NOW.plusSeconds(99)).caCertificate()).isEqualTo(first);
        assertThat(mode("ca.key")).isEqualTo("rw-------");
        assertThat(mode("ca.crt")).isEqualTo("rw-------");
    }

    private String mode(String file) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(file)));
    }

    @Test
    void aLostCaKeyIsToldAndACrashBetweenTheTwoFilesIsMended() throws Exception {
        at(NOW);
        Files.delete(folder.resolve("ca.crt"));
        assertThat(at(NOW).caCertificate()).contains("BEGIN CERTIFICATE");
        Files.delete(folder.resolve("ca.key"));
        assertThatThrownBy(() -> at(NOW))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the CA's key")
                .hasMessageContaining("restore it");
    }

    @Test
    void aServersCertificateIsRsaWithItsNames() throws Exception {
        Pair pair = at(NOW).server("director", List.of("10.1.0.1", "director.berth"));
        X509Certificate certificate = CertificateMaker.parse(pair.certificate());
        assertThat(certificate.getPublicKey().getAlgorithm()).isEqualTo("RSA");
        assertThat(certificate.getSubjectAlternativeNames())
                .extracting(entry -> entry.get(0) + " " + entry.get(1))
                .containsExactly("7 10.1.0.1", "2 director.berth");
        assertThat(mode("director.key")).isEqualTo("rw-------");
    }

    @Test
    void aServersCertificateIsRenewedWhenOldOrLackingAName() {
        List<String> one = List.of("registry.berth");
        List<String> two = List.of("registry.berth", "0:0:0:0:0:0:0:1");
        Pair first = at(NOW).server("r", one, Key.EC_P256);
        assertThat(at(NOW.plus(Duration.ofDays(480))).server("r", one, Key.EC_P256))
                .isEqualTo(first);
        Instant late = NOW.plus(Duration.ofDays(490));
        Pair second = at(late).server("r", one, Key.EC_P256);
        assertThat(second).isNotEqualTo(first);
        Pair third = at(late).server("r", two, Key.EC_P256);
        assertThat(third).isNotEqualTo(second);
        assertThat(at(late).server("r", two, Key.EC_P256)).isEqualTo(third);
        assertThat(at(late).server("r", one, Key.EC_P256)).isEqualTo(third);
    }

    /** Variables of type certificate: root, intermediate, leaf for both uses. */
    @Test
    void aChainForManifestsCanBeMade() throws Exception {
        Pair root = CertificateMaker.selfSigned(Request.ca("root", Duration.ofDays(365)), NOW);
        Pair middle =
                CertificateMaker.signedBy(root, Request.ca("middle", Duration.ofDays(365)), NOW);
        Pair leaf =
                CertificateMaker.signedBy(
                        middle,
                        new Request(
                                "web",
                                null,
                                List.of("Acme"),
                                List.of("web.shop", "fe80::1", "192.168.1.10.example"),
                                false,
                                Set.of(Use.SERVER, Use.CLIENT),
                                Duration.ofDays(30),
                                Key.EC_P256),
                        NOW);
        X509Certificate certificate = CertificateMaker.parse(leaf.certificate());
        certificate.verify(CertificateMaker.parse(middle.certificate()).getPublicKey());
        CertificateMaker.parse(middle.certificate())
                .verify(CertificateMaker.parse(root.certificate()).getPublicKey());
        assertThat(CertificateMaker.parse(middle.certificate()).getBasicConstraints()).isPositive();
        assertThat(certificate.getExtendedKeyUsage()).hasSize(2);
        assertThat(certificate.getSubjectAlternativeNames())
                .extracting(entry -> String.valueOf(entry.get(0)))
                .containsExactly("2", "7", "2");
        assertThat(CertificateMaker.parseKey(leaf.privateKey()).getAlgorithm()).isEqualTo("EC");
    }

    @Test
    void passwordsAndKeysAreFreshAndMasked() {
        assertThat(SecretMaker.password(40).reveal()).matches("[a-z0-9]{40}");
        assertThat(SecretMaker.password(20)).isNotEqualTo(SecretMaker.password(20));
        var rsa = SecretMaker.rsa(2048);
        assertThat(rsa.privateKey().reveal()).startsWith("-----BEGIN RSA PRIVATE KEY-----");
        assertThat(rsa.publicKey()).startsWith("-----BEGIN PUBLIC KEY-----");
        assertThat(CertificateMaker.parseKey(rsa.privateKey().reveal()).getAlgorithm())
                .isEqualTo("RSA");
        var ssh = SecretMaker.ssh(2048);
        assertThat(ssh.publicKey()).startsWith("ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB");
        assertThat(ssh.fingerprint()).matches("([0-9a-f]{2}:){15}[0-9a-f]{2}");
        assertThat(ssh.toString()).doesNotContain("BEGIN");
    }
}
