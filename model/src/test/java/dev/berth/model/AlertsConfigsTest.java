package dev.berth.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Configs of alerts: what is read, and what is refused, all of it at once. */
class AlertsConfigsTest {
    private static final Map<String, String> VALUES =
            Map.of("/key", "planted-key", "/hook", "https://hooks.example.com/planted");

    private static AlertsConfig read(String yaml) {
        return AlertsConfigs.parse(
                YamlDocument.parseConfig(yaml, "alerts"),
                Interpolation.absoluteOnly(name -> Optional.ofNullable(VALUES.get(name))));
    }

    @Test
    void everyKindOfSinkIsRead() {
        AlertsConfig config =
                read(
                        """
                        timing: {settle: 5, group_from: 4}
                        sinks:
                        - name: mail
                          type: email
                          severity: error
                          deployments: [shop, prod-*]
                          smtp: {host: smtp.example.com, username: u, password: ((/key))}
                          from: Berth <berth@example.com>
                          to: [ops@example.com]
                          digest: 900
                        - {name: pager, type: pagerduty, routing_key: ((/key))}
                        - {name: genie, type: opsgenie, api_key: ((/key)), responders: [dba]}
                        - {name: slack, type: webhook, url: ((/hook)), format: slack}
                        - {name: own, type: webhook, url: "https://h/x", body: {t: "{{title}}"}}
                        - {name: log, type: syslog, host: 10.0.0.1, transport: tls, facility: local7}
                        - {name: lines, type: stdout}
                        - {name: plugins, type: json}
                        """);
        assertThat(config.sinks()).hasSize(8);
        assertThat(config.timing().settle()).isEqualTo(Duration.ofSeconds(5));
        assertThat(config.timing().groupFrom()).isEqualTo(4);
        var mail = (AlertsConfig.Email) config.sinks().getFirst().target();
        assertThat(mail.port()).isEqualTo(587);
        assertThat(mail.tls()).isEqualTo(AlertsConfig.MailTls.STARTTLS);
        assertThat(mail.password()).isEqualTo(new Secret("planted-key"));
        assertThat(mail.digest()).isEqualTo(Duration.ofSeconds(900));
        assertThat(((AlertsConfig.Syslog) config.sinks().get(5).target()).port()).isEqualTo(6514);
        assertThat(config.toString()).doesNotContain("planted");
        AlertsConfig.Filter filter = config.sinks().getFirst().filter();
        assertThat(filter.passes(3, java.util.List.of("prod-1"), java.util.List.of())).isTrue();
        assertThat(filter.passes(4, java.util.List.of("prod-1"), java.util.List.of())).isFalse();
        assertThat(filter.passes(1, java.util.List.of("test"), java.util.List.of())).isFalse();
        assertThat(filter.passes(1, java.util.List.of(), java.util.List.of())).isFalse();
    }

    @Test
    void allThatIsWrongIsToldAtOnceWithLineAndRemedyAndWithoutSecrets() {
        assertThatThrownBy(() ->
                        read(
                                """
                                timing: {settle: -1}
                                sinks:
                                - {name: a, type: emal}
                                - name: b
                                  type: email
                                  severty: error
                                  smtp: {host: h, tls: none, username: u, password: planted-clear}
                                  from: nobody
                                  to: []
                                - {name: b, type: stdout}
                                - {name: b, type: stdout}
                                - {name: c, type: pagerduty, routing_key: ((/missing))}
                                - {name: d, type: webhook, url: "planted url", body: {t: "{{titl}}"}}
                                - {name: e, type: syslog, host: h, facility: local9}
                                - {name: f, type: stdout, severity: bad}
                                """))
                .isInstanceOf(ProblemException.class)
                .hasMessageContainingAll(
                        "timing.settle (line 1): 'settle' is -1 (give a number from 0 to 600)",
                        "(line 3): there is no sink of type 'emal' (did you mean 'email'?)",
                        "Unknown key 'severty' (did you mean 'severity'?)",
                        "'password' stands here in clear",
                        "berth set-variable /NAME",
                        "a password would cross the network in clear",
                        "'nobody' is no mail address",
                        "nobody is to get the mail",
                        "'b' is there twice",
                        "Failed to find variable '/missing'",
                        "the URL cannot be called",
                        "there is no field {{titl}} (did you mean {{title}}?)",
                        "there is no facility 'local9'",
                        "'severity' is one of alert, critical, error, warning")
                .hasMessageNotContaining("planted");
    }
}
