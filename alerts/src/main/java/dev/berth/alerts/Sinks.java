package dev.berth.alerts;

import dev.berth.model.AlertsConfig;
import dev.berth.model.Clock;
import java.io.PrintStream;

/** Makes sinks of what is configured. */
public final class Sinks {
    private final Clock clock;
    private final PrintStream out;
    private final String host;

    /**
     * @param out where JSON lines go
     * @param host how this machine is called in the messages of others
     */
    public Sinks(Clock clock, PrintStream out, String host) {
        this.clock = clock;
        this.out = out;
        this.host = host;
    }

    /**
     * Speaks to nobody yet.
     *
     * @throws IllegalArgumentException what is configured cannot work, in words
     */
    public Sink of(AlertsConfig.Target target) {
        return switch (target) {
            case AlertsConfig.Email t -> new EmailSink(t, clock);
            case AlertsConfig.PagerDuty t -> new PagerDutySink(t);
            case AlertsConfig.Opsgenie t -> new OpsgenieSink(t);
            case AlertsConfig.Webhook t -> new WebhookSink(t);
            case AlertsConfig.Syslog t -> new SyslogSink(t, host);
            case AlertsConfig.Stdout t -> new StdoutSink(out);
            case AlertsConfig.Plugin t -> new PluginSink(t, clock);
        };
    }
}
