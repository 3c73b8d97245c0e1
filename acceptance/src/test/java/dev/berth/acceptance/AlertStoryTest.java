package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;
import jakarta.mail.MessagingException;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A VM that dies is one mail to a real mail server, and its repair is one more. */
@Tag("engine")
@ExtendWith(SharedEnvironment.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@org.jspecify.annotations.NullUnmarked // what is not there fails the test, as it should
class AlertStoryTest {
    private final TestEnvironment environment;
    private final DirectorClient director;
    private final OneVm one;
    private final GreenMail mail = new GreenMail(new ServerSetup(0, "127.0.0.1", "smtp"));

    AlertStoryTest(TestEnvironment environment) {
        this.environment = environment;
        this.director = environment.director();
        this.one = new OneVm(environment, director, "alerted");
    }

    @AfterAll
    void clean() {
        environment.berth("delete-config", "--type", "alerts", "-n");
        Deployments.delete(director, one.name());
        director.close();
        mail.stop();
    }

    private List<String> subjects() {
        var subjects = new ArrayList<String>();
        for (MimeMessage message : mail.getReceivedMessages()) {
            try {
                subjects.add(message.getSubject());
            } catch (MessagingException e) {
                throw new AssertionError(e);
            }
        }
        return subjects;
    }

    @Test
    void aVmThatDiesIsOneMailAndItsReturnOneMore(@TempDir Path folder) throws IOException {
        mail.start();
        Path config = folder.resolve("alerts.yml");
        Files.writeString(config, "sinks: [{name: mail, type: emal, from: x}]\n");
        assertThat(
                        environment
                                .berth("update-config", "--type", "alerts", config.toString(), "-n")
                                .said())
                .contains("line 1", "did you mean 'email'?");
        Files.writeString(
                config,
                """
                sinks:
                - name: mail
                  type: email
                  severity: critical
                  deployments: [%s]
                  smtp: {host: 127.0.0.1, port: %d, tls: none}
                  from: berth@example.com
                  to: [ops@example.com]
                """
                        .formatted(one.name(), mail.getSmtp().getPort()));
        environment.berth("update-config", "--type", "alerts", config.toString(), "-n").ok();
        assertThat(environment.berth("alerts", "test", "mail").ok()).contains("250 OK");
        assertThat(subjects()).hasSize(1);

        one.deploy(one.manifest(OneVm.container("n1", "")));
        one.awaitWell();
        String vm = one.vm();
        environment.docker("rm", "-f", vm).ok();
        await("one mail, and one more")
                .atMost(TestEnvironment.SOON)
                .until(() -> subjects().size() >= 3);
        one.awaitWell();
        assertThat(one.vm()).isNotEqualTo(vm);
        assertThat(subjects().get(1)).contains("critical: ", "all/");
        assertThat(subjects().get(2)).contains("resolved: ", "all/");
        assertThat(subjects()).hasSize(3);

        // A director that starts anew tells nothing twice, and knows what was.
        environment.killDirector();
        environment.up();
        assertThat(environment.berth("alerts", "--all", "-d", one.name()).ok())
                .contains("resolved", "critical");
        assertThat(environment.berth("alerts", "sinks").ok()).contains("mail");
        assertThat(subjects()).hasSize(3);
        assertThat(director.get("/metrics").body())
                .contains(
                        "berth_instances{deployment=\"" + one.name() + "\"",
                        "berth_alert_deliveries_waiting{sink=\"mail\"} 0",
                        "berth_certificate_expiry_days{certificate=\"ca\"}");
        assertThat(director.list("/events?object_type=alert&action=resolve")).isNotEmpty();
        assertThat(director.list("/events?action=repair&deployment=" + one.name())).isNotEmpty();
    }
}
