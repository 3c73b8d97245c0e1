package dev.berth.agent;

import static dev.berth.agent.Action.background;
import static dev.berth.agent.Action.inOrder;
import static dev.berth.agent.Action.look;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What concerns the agent and its VM as a whole. */
final class VmActions {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    /** Time enough for the reply to leave, and little of what whoever waits has. */
    private static final Duration REPLY_FIRST = Duration.ofMillis(30);

    private static final Duration MOST_MOVING = Duration.ofSeconds(10);

    private final CallQueue calls;
    private final SettingsUpdate settings;
    private final DnsRecords dns;
    private final SshUsers ssh;
    private final Layout layout;
    private final Programs programs;
    private final BusLink bus;

    VmActions(
            CallQueue calls,
            SettingsUpdate settings,
            DnsRecords dns,
            SshUsers ssh,
            Layout layout,
            Programs programs,
            BusLink bus) {
        this.calls = calls;
        this.settings = settings;
        this.dns = dns;
        this.ssh = ssh;
        this.layout = layout;
        this.programs = programs;
        this.bus = bus;
    }

    List<Action> all() {
        return List.of(
                look("ping", 0, (a, call) -> "pong"),
                look("info", 0, (a, call) -> Json.of("api_version", 1)),
                look("get_task", 1, (a, call) -> calls.find(a.string(0)).answer()),
                look("cancel_task", 1, (a, call) -> cancel(a)),
                background("update_settings", 1, settings::update),
                inOrder("shutdown", 0, (a, call) -> shutdown()),
                inOrder("sync_dns", 3, (a, call) -> syncDns(a)),
                inOrder("sync_dns_with_signed_url", 1, (a, call) -> syncDnsSigned(a)),
                inOrder("delete_arp_entries", 1, (a, call) -> deleteArpEntries(a)),
                inOrder("expect_address", 1, (a, call) -> expectAddress(a)),
                inOrder("ssh", 2, (a, call) -> ssh.run(a)));
    }

    private Object cancel(Arguments a) {
        calls.find(a.string(0)).cancel();
        return "canceled";
    }

    private Object syncDns(Arguments a) throws IOException {
        return dns.sync(a.string(0), a.string(1), a.integer(2, 0), "", Map.of());
    }

    private Object syncDnsSigned(Arguments a) throws IOException {
        Fields request = a.object(0, "sync_dns_with_signed_url");
        return dns.sync(
                "",
                request.string("multi_digest"),
                request.integer("version"),
                request.string("signed_url"),
                request.stringMap("blobstore_headers"));
    }

    private Object deleteArpEntries(Arguments a) {
        for (String ip : a.object(0, "delete_arp_entries").strings("ips")) {
            if (!ip.matches("[0-9a-fA-F.:]+")) {
                throw new ActionException("'" + ip + "' is no IP address");
            }
            programs.run(LIMIT, "ip", "neigh", "flush", "to", ip); // none there is what is wanted
        }
        return Map.of();
    }

    /**
     * Berth's own: the VM is about to get this address in place of the one it has. Replies first,
     * and leaves the bus then.
     */
    private Object expectAddress(Arguments a) {
        String address = a.string(0);
        if (!address.matches("[0-9a-fA-F.:]{2,45}")) {
            throw new ActionException("'" + address + "' is no IP address");
        }
        if (Networks.has(address)) {
            return "there";
        }
        Thread.ofVirtual()
                .name("move")
                .start(() -> {
                    try {
                        Thread.sleep(REPLY_FIRST);
                        bus.moveTo(() -> Networks.has(address), MOST_MOVING);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
        return "expected";
    }

    /** Replies first: the VM may be gone before anything could be sent. */
    private Object shutdown() {
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        Thread.sleep(200);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    String first =
                            DurableFile.read(layout.proc().resolve("1/comm")).orElse("").strip();
                    if (first.equals("tini") || first.equals("berth-init")) {
                        // A VM that is a container ends with its first process.
                        programs.run(LIMIT, "sh", "-c", "kill -s TERM 1");
                    } else {
                        programs.run(LIMIT, "shutdown", "-P", "0");
                    }
                });
        return "";
    }
}
