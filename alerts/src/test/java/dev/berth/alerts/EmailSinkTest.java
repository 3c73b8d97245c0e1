package dev.berth.alerts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.GreenMailUtil;
import com.icegreen.greenmail.util.ServerSetup;
import dev.berth.model.AlertsConfig;
import dev.berth.model.AlertsConfig.MailTls;
import dev.berth.model.Clock;
import dev.berth.model.Secret;
import jakarta.mail.internet.MimeMessage;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mail, with a real SMTP server. */
class EmailSinkTest extends SinkContract {
    private static final String PASSWORD = "planted-mail-password";
    private @Nullable GreenMail server;
    private int port;
    private String protocol = ServerSetup.PROTOCOL_SMTP;
    private final List<MimeMessage> before = new ArrayList<>();

    @Override
    void serve() {
        var setup = new ServerSetup(port, "127.0.0.1", protocol);
        setup.setServerStartupTimeout(10_000);
        GreenMail mail = new GreenMail(setup);
        mail.setUser("berth@example.com", "berth", PASSWORD);
        mail.start();
        server = mail;
        port =
                protocol.equals(ServerSetup.PROTOCOL_SMTP)
                        ? mail.getSmtp().getPort()
                        : mail.getSmtps().getPort();
    }

    @Override
    void away() {
        if (server != null) {
            before.addAll(Arrays.asList(server.getReceivedMessages()));
            server.stop();
            server = null;
        }
    }

    private AlertsConfig.Email mail(
            MailTls tls,
            @Nullable String password,
            @Nullable Secret ca,
            @Nullable Duration digest) {
        return new AlertsConfig.Email(
                "localhost",
                port,
                tls,
                ca,
                password == null ? null : "berth",
                password == null ? null : new Secret(password),
                "Berth <berth@example.com>",
                List.of("ops@example.com"),
                digest);
    }

    @Override
    AlertsConfig.Target target() {
        return mail(MailTls.NONE, null, null, null);
    }

    private List<MimeMessage> messages() {
        var all = new ArrayList<>(before);
        if (server != null) {
            all.addAll(Arrays.asList(server.getReceivedMessages()));
        }
        return all;
    }

    @Override
    List<String> arrived() throws Exception {
        var texts = new ArrayList<String>();
        for (MimeMessage message : messages()) {
            texts.add(
                    message.getSubject()
                            + "\n"
                            + GreenMailUtil.getWholeMessage(message).replaceAll("\r\n[\t ]", " "));
        }
        return texts;
    }

    @Override
    String identity(Notice notice) {
        return "Message-ID: <" + notice.id() + "@prod.berth.invalid>";
    }

    private Sink sink(AlertsConfig.Target target) {
        return opened(new Sinks(Clock.SYSTEM, System.out, "h1").of(target));
    }

    @Test
    void mailsOfOneAlertAreOneThreadAndATitleAddsNoHeader() throws Exception {
        serve();
        Sink sink = sink();
        for (Notice notice : Notices.life("gone\r\nBcc: evil@example.com")) {
            assertThat(sink.deliver(List.of(notice))).startsWith("250");
        }
        assertThat(messages()).hasSize(3);
        for (MimeMessage message : messages()) {
            assertThat(message.getHeader("References", null))
                    .isEqualTo("<berth-e1-17@prod.berth.invalid>");
            assertThat(message.getHeader("Bcc")).isNull();
            assertThat(message.getAllRecipients()).hasSize(1);
            assertThat(message.getHeader("Date", null)).isNotBlank();
        }
        assertThat(messages().getFirst().getSubject())
                .isEqualTo("[prod] critical: gone Bcc: evil@example.com");
        assertThat(messages().getLast().getSubject()).startsWith("[prod] resolved: gone");
        assertThat(messages().getLast().getContent().toString())
                .contains("Because: it is well again", "Acknowledged: ann", "Deployment: shop");
    }

    @Test
    void aPasswordGoesOverTlsAndAWrongOneIsSaidAndNotShown() throws Exception {
        protocol = ServerSetup.PROTOCOL_SMTPS;
        serve();
        Sink right = sink(mail(MailTls.IMPLICIT, PASSWORD, ca(), null));
        assertThat(right.deliver(List.of(Notices.test()))).startsWith("250");
        assertThat(messages()).hasSize(1);
        String wrong = "planted-wrong-password";
        Sink refused = sink(mail(MailTls.IMPLICIT, wrong, ca(), null));
        assertThatThrownBy(() -> refused.deliver(List.of(Notices.test())))
                .hasMessageContainingAll("user 'berth' and its password are refused", "variable")
                .hasMessageNotContaining(wrong)
                .hasMessageNotContaining(
                        Base64.getEncoder().encodeToString(wrong.getBytes(StandardCharsets.UTF_8)));
        assertThat(messages()).hasSize(1);
    }

    @Test
    void aCertificateOfAStrangerIsRefusedAndNothingIsSent() throws Exception {
        protocol = ServerSetup.PROTOCOL_SMTPS;
        serve();
        assertAway(sink(mail(MailTls.IMPLICIT, PASSWORD, null, null)), "certification path");
        assertThat(messages()).isEmpty();
    }

    @Test
    void aServerWithoutStartTlsGetsNeitherPasswordNorMail() throws Exception {
        serve();
        assertAway(sink(mail(MailTls.STARTTLS, PASSWORD, ca(), null)), "STARTTLS");
        assertThat(messages()).isEmpty();
    }

    @Test
    void withStartTlsNeitherPasswordNorMailGoesInTheClear() throws Exception {
        try (var server = new StartTlsServer(keys().context())) {
            port = server.port();
            assertThat(
                            sink(mail(MailTls.STARTTLS, PASSWORD, ca(), null))
                                    .deliver(List.of(Notices.test())))
                    .startsWith("250");
            assertThat(server.said()).filteredOn(s -> s.startsWith("plain ")).hasSize(2);
            assertThat(server.said())
                    .anyMatch(s -> s.startsWith("tls AUTH"))
                    .contains("tls RCPT TO:<ops@example.com>");
            int before = server.said().size();
            assertAway(sink(mail(MailTls.STARTTLS, PASSWORD, null, null)), "certification path");
            assertThat(server.said().subList(before, server.said().size()))
                    .as("a server that is not trusted hears no more than the greeting")
                    .allMatch(s -> s.matches("plain (EHLO .*|STARTTLS)"));
        }
    }

    @Test
    void aServerThatHangsIsGivenUpInTime() throws Exception {
        try (var silent = new ServerSocket(0)) {
            port = silent.getLocalPort();
            var outbox = new MemoryOutbox();
            Notices.life("gone").forEach(n -> outbox.add(n, Clock.SYSTEM.now()));
            var impatient =
                    new Courier.Patience(
                            Duration.ofMillis(300),
                            Duration.ofMillis(10),
                            Duration.ofMillis(20),
                            3,
                            Duration.ofDays(1));
            var courier = opened(new Courier("s", sink(), outbox, Clock.SYSTEM, impatient, null));
            courier.start();
            org.awaitility.Awaitility.await()
                    .atMost(SOON)
                    .until(() -> courier.status().failures() >= 2);
            assertThat(courier.status().said()).contains("no answer within");
            assertThat(outbox.size()).isEqualTo(3);
        }
    }

    @Test
    void aDigestIsOneMailOfAllThatCameMeanwhile() throws Exception {
        serve();
        var digest = mail(MailTls.NONE, null, null, Duration.ofSeconds(900));
        var outbox = new MemoryOutbox();
        List<Notice> life = Notices.life("gone");
        Instant old = Clock.SYSTEM.now().minusSeconds(901);
        life.forEach(n -> outbox.add(n, old));
        Sink sink = sink(digest);
        assertThat(sink.takesMany()).isTrue();
        var courier =
                opened(
                        new Courier(
                                "s",
                                sink,
                                outbox,
                                Clock.SYSTEM,
                                Courier.Patience.USUAL,
                                digest.digest()));
        assertThat(courier.turn()).isNotNull();
        assertThat(outbox.log()).hasSize(3);
        assertThat(messages()).hasSize(1);
        assertThat(messages().getFirst().getSubject()).isEqualTo("[prod] 3 notices of alerts");
        assertThat(messages().getFirst().getContent().toString())
                .contains("critical: gone", "acknowledged: gone", "resolved: gone");
        // What came just now waits for the next one.
        outbox.add(life.getFirst(), Clock.SYSTEM.now());
        assertThat(courier.turn()).isAfter(Clock.SYSTEM.now().plusSeconds(600));
        assertThat(messages()).hasSize(1);
    }

    @TempDir static Path folder;
    private static @Nullable TestKeys keys;

    private static TestKeys keys() {
        return Objects.requireNonNull(keys);
    }

    private static Secret ca() throws Exception {
        return keys().ca();
    }

    @BeforeAll
    static void makeKeys() throws Exception {
        keys = new TestKeys(folder);
        System.setProperty("greenmail.tls.keystore.file", keys().file().toString());
        System.setProperty("greenmail.tls.keystore.password", TestKeys.PASSWORD);
    }

    @Test
    void aCertificateOfAnotherNameIsRefused() throws Exception {
        protocol = ServerSetup.PROTOCOL_SMTPS;
        serve();
        var elsewhere =
                new AlertsConfig.Email(
                        "127.0.0.1",
                        port,
                        MailTls.IMPLICIT,
                        ca(),
                        "berth",
                        new Secret(PASSWORD),
                        "berth@example.com",
                        List.of("ops@example.com"),
                        null);
        assertAway(sink(elsewhere), "127.0.0.1:" + port, "No subject alternative names");
        assertThat(messages()).isEmpty();
    }
}
