package dev.berth.alerts;

import dev.berth.model.AlertsConfig.Email;
import dev.berth.model.AlertsConfig.MailTls;
import dev.berth.model.Clock;
import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.stream.Collectors;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;
import org.eclipse.angus.mail.smtp.SMTPTransport;

/**
 * Mail over SMTP, one message a notice or one for many. A notice that is sent again has the same
 * Message-ID, by which mail systems know it; all notices of an alert are one thread.
 */
final class EmailSink implements Sink {
    private static final int MILLIS = 15_000;
    private static final int LONGEST_SUBJECT = 200;

    private final Email to;
    private final Clock clock;
    private final Masking masking;
    private final Session session;

    EmailSink(Email to, Clock clock) {
        this.to = to;
        this.clock = clock;
        this.masking = new Masking(Arrays.asList(to.password()));
        this.session = Session.getInstance(properties());
    }

    private Properties properties() {
        var p = new Properties();
        p.put("mail.smtp.host", to.host());
        p.put("mail.smtp.port", Integer.toString(to.port()));
        // Whoever accepts and says nothing more must not hold the thread.
        for (String limit : List.of("connectiontimeout", "timeout", "writetimeout")) {
            p.put("mail.smtp." + limit, Integer.toString(MILLIS));
        }
        // Some addresses are wrong: the others get it all the same.
        p.put("mail.smtp.sendpartial", "true");
        p.put("mail.smtp.quitwait", "false");
        if (to.tls() != MailTls.NONE) {
            p.put("mail.smtp.ssl.socketFactory", Trust.of(to.ca()).getSocketFactory());
            // Else it tries again with the machine's own authorities, and tells of those.
            p.put("mail.smtp.socketFactory.fallback", "false");
            p.put("mail.smtp.ssl.checkserveridentity", "true");
            p.put("mail.smtp.ssl.protocols", "TLSv1.3 TLSv1.2");
            p.put(
                    to.tls() == MailTls.IMPLICIT
                            ? "mail.smtp.ssl.enable"
                            : "mail.smtp.starttls.required",
                    "true");
            p.put("mail.smtp.starttls.enable", "true");
        }
        if (to.username() != null) {
            p.put("mail.smtp.auth", "true");
        }
        return p;
    }

    @Override
    public boolean takesMany() {
        return to.digest() != null;
    }

    @Override
    public String deliver(List<Notice> notices) throws SinkException {
        try (var transport = new SMTPTransport(session, null)) {
            connect(transport);
            MimeMessage message = message(notices);
            try {
                transport.sendMessage(message, message.getAllRecipients());
            } catch (SendFailedException e) {
                return partly(e);
            }
            return masking.apply(transport.getLastServerResponse());
        } catch (MessagingException e) {
            throw new SinkException(SinkException.Kind.AWAY, place() + masking.of(e));
        }
    }

    private void connect(SMTPTransport transport) throws MessagingException, SinkException {
        try {
            if (to.password() == null) {
                transport.connect();
            } else {
                transport.connect(to.host(), to.port(), to.username(), to.password().reveal());
            }
        } catch (AuthenticationFailedException e) {
            throw new SinkException(
                    SinkException.Kind.AWAY,
                    place()
                            + "user '"
                            + to.username()
                            + "' and its password are refused: "
                            + masking.of(e)
                            + " (set the variable anew)");
        }
    }

    private String place() {
        return to.host() + ":" + to.port() + ": ";
    }

    /** Who got it need not get it again because others cannot. */
    private String partly(SendFailedException e) throws SinkException {
        var sent = e.getValidSentAddresses();
        if (sent != null && sent.length > 0) {
            return masking.apply("taken for " + Arrays.toString(sent) + " alone: " + masking.of(e));
        }
        boolean refused =
                e instanceof SMTPSendFailedException failed
                        ? failed.getReturnCode() >= 500
                        : e.getInvalidAddresses() != null && e.getInvalidAddresses().length > 0;
        throw new SinkException(
                refused ? SinkException.Kind.REFUSED : SinkException.Kind.AWAY,
                place() + masking.of(e));
    }

    // --- what is sent

    private MimeMessage message(List<Notice> notices) throws MessagingException {
        Notice first = notices.getFirst();
        String host = first.environment().replaceAll("[^A-Za-z0-9.-]", "-") + ".berth.invalid";
        var message =
                new MimeMessage(session) {
                    @Override
                    protected void updateMessageID() throws MessagingException {
                        setHeader("Message-ID", "<" + idOf(notices) + "@" + host + ">");
                    }
                };
        message.setFrom(new InternetAddress(to.from()));
        for (String address : to.to()) {
            message.addRecipient(Message.RecipientType.TO, new InternetAddress(address));
        }
        message.setSubject(subject(notices), StandardCharsets.UTF_8.name());
        message.setHeader(
                "Date",
                DateTimeFormatter.RFC_1123_DATE_TIME.format(clock.now().atOffset(ZoneOffset.UTC)));
        message.setHeader("Auto-Submitted", "auto-generated");
        message.setHeader("X-Berth-Environment", header(first.environment()));
        if (notices.size() == 1 && first.kind() != Notice.Kind.TEST) {
            message.setHeader("X-Berth-Alert", Long.toString(first.incident().number()));
            message.setHeader("References", "<" + header(first.dedupKey()) + "@" + host + ">");
        }
        message.setText(text(notices), StandardCharsets.UTF_8.name());
        return message;
    }

    private static String header(String text) {
        return text.replaceAll("[^A-Za-z0-9._/-]", "-");
    }

    private static String idOf(List<Notice> notices) {
        String id = header(notices.getFirst().id());
        return notices.size() == 1 ? id : id + ".to." + header(notices.getLast().id());
    }

    private String subject(List<Notice> notices) {
        String subject =
                notices.size() == 1
                        ? notices.getFirst().headline()
                        : "["
                                + notices.getFirst().environment()
                                + "] "
                                + notices.size()
                                + " notices of alerts";
        return subject.length() > LONGEST_SUBJECT
                ? subject.substring(0, LONGEST_SUBJECT) + "..."
                : subject;
    }

    private static String text(List<Notice> notices) {
        if (notices.size() == 1) {
            return Objects.requireNonNull(notices.getFirst()).text();
        }
        return notices.stream()
                        .map(n -> n.at() + " " + n.headline())
                        .collect(Collectors.joining("\n"))
                + "\n\n"
                + notices.stream().map(Notice::text).collect(Collectors.joining("\n---\n\n"));
    }
}
