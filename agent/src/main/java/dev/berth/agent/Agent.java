package dev.berth.agent;

import dev.berth.model.Clock;
import dev.berth.wire.AgentSettings;
import dev.berth.wire.StreamFrame;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The agent of one VM: everything between the bus on one side and the VM's containers, disks and
 * programs on the other. Starting it waits for nothing, so that the bus is answered first; closing
 * it ends only the link.
 */
final class Agent implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Agent.class.getName());

    private static final Duration LISTENERS_RETURN = Duration.ofSeconds(2);

    private final Layout layout;
    private final CurrentSettings settings;
    private final Programs programs;
    private final Hosts hosts;
    private final DnsRecords dns;
    private final PendingCall pending;
    private final CallQueue calls = new CallQueue();
    private final BusLink bus;
    private final Heart heart;
    private final Alerts alerts;
    private final Disks disks;
    private final ContainerSessions sessions;
    private final DiskFreezer freezer;
    private final DiskStreams streams;
    private final Requests requests;
    private final List<Thread> threads = new ArrayList<>();

    Agent(
            Layout layout,
            Settings loaded,
            Workload workload,
            DiskPorts disksOf,
            Programs programs,
            Clock clock) {
        this.layout = layout;
        this.settings = new CurrentSettings(loaded);
        this.programs = programs;
        this.hosts = new Hosts(layout);
        this.pending = new PendingCall(layout);
        this.bus = new BusLink(loaded.agentId(), this::take, this::connected);
        var spec = new InstanceSpec(layout);
        this.alerts = new Alerts(bus, spec, clock);
        var records = new DiskRecords(layout, loaded.documentDisks());
        this.disks =
                new Disks(layout, disksOf, records, settings, workload, clock, listener(alerts));
        var vitals = new Vitals(layout, programs);
        var report = new StateReport(layout, settings, spec, workload, disks, vitals, clock);
        this.heart = new Heart(report, bus, layout, () -> settings.get().heartbeatSeconds());
        var blobs = new Blobs(layout, settings);
        this.dns = new DnsRecords(layout, hosts, blobs);
        workload.onChange(this::changed);
        workload.onTrouble(alerts::tell);

        var update = new SettingsUpdate(layout, settings, disks, programs, pending, this::link);
        var ssh = new SshUsers(layout, programs, settings);
        var actions = new ArrayList<Action>();
        actions.addAll(new VmActions(calls, update, dns, ssh, layout, programs, bus).all());
        actions.addAll(
                new InstanceActions(
                                spec,
                                workload,
                                new Networks(settings),
                                new Scripts(layout, spec),
                                bus,
                                heart,
                                report)
                        .all());
        actions.addAll(new DiskActions(disks, heart).all());
        actions.addAll(new RecordActions(layout, disks::proven).all());
        actions.addAll(new BusCertificate(layout, settings, this::move, this::trustRegistry).all());
        this.freezer = new DiskFreezer(layout, programs, disks::mountPoint);
        actions.addAll(freezer.all());
        var devices = new DiskDevices(layout, disksOf.tools(), records, clock);
        this.streams = new DiskStreams(devices, disks, disksOf.tools(), programs, layout, bus);
        actions.addAll(streams.all());
        actions.addAll(
                new LogActions(new LogBundle(layout, workload, programs), blobs, layout, programs)
                        .all());
        this.sessions = new ContainerSessions(workload, bus, layout);
        actions.addAll(sessions.all());
        this.requests = new Requests(actions, calls, bus);
    }

    /**
     * Returns at once; everything goes on in threads of its own.
     *
     * @param disksKnown called once the disk mounted last has been looked at: before that nobody
     *     may judge containers that run on it
     */
    void start(Runnable disksKnown) {
        sessions.endLeftOver();
        freezer.takeOver();
        streams.endLeftOver();
        threads.add(requests.start());
        threads.add(calls.start());
        pending.take()
                .ifPresent(kept -> requests.resume(kept.id(), kept.method(), kept.arguments()));
        link(settings.get());
        threads.add(heart.start());
        threads.add(Thread.ofVirtual().name("disks").start(() -> keepDisks(disksKnown)));
        threads.add(Thread.ofVirtual().name("network").start(this::prepareNetwork));
    }

    /**
     * Tells of what the VM's first program did to an earlier life.
     *
     * @param folder the first program's
     */
    void tellOfLastLife(Path folder) {
        LastLife.tell(folder, alerts);
    }

    private Disks.Listener listener(Alerts alerts) {
        return new Disks.Listener() {
            @Override
            public void proof(String name, MountProof proof) {
                alerts.disk(name, proof);
                changed();
            }

            @Override
            public void trouble(Workload.Trouble trouble) {
                alerts.tell(trouble);
            }
        };
    }

    private void take(byte[] message) {
        if (StreamFrame.is(message)) {
            sessions.accept(message);
            streams.accept(message);
        } else {
            requests.accept(message);
        }
    }

    /** Once at once, and once more when those who listen have come back from the same outage. */
    private void connected() {
        heart.beatNow();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        Thread.sleep(LISTENERS_RETURN);
                        heart.beatNow();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    private void changed() {
        heart.beatSoon();
    }

    private void link(Settings with) {
        bus.use(endpoint(with));
    }

    private void move(Settings with, Runnable proven) throws InterruptedException {
        bus.move(endpoint(with), proven);
    }

    private static BusLink.Endpoint endpoint(Settings with) {
        AgentSettings.Certificate credentials = with.busCertificate();
        return new BusLink.Endpoint(
                with.busUrls(), credentials == null ? null : BusTls.context(credentials));
    }

    private void trustRegistry() {
        AgentSettings.Registry registry = settings.get().registry();
        if (registry != null) {
            new RegistryRoute(layout, hosts, programs).trust(registry);
        }
    }

    private void keepDisks(Runnable disksKnown) {
        try {
            disks.keepProven(disksKnown);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Names and routes that containers need; tried until they are there. */
    private void prepareNetwork() {
        for (int attempt = 0; ; attempt++) {
            try {
                dns.restore();
                AgentSettings.Registry registry = settings.get().registry();
                if (registry != null) {
                    new RegistryRoute(layout, hosts, programs).lay(registry);
                }
                return;
            } catch (RuntimeException e) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "the registry cannot be reached yet: {0}",
                        ActionException.words(e));
            }
            try {
                Thread.sleep(Duration.ofSeconds(Math.min(30, 1 << Math.min(attempt, 5))));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    @Override
    public void close() {
        sessions.close();
        streams.close();
        bus.close();
        threads.forEach(Thread::interrupt);
        for (Thread thread : threads) {
            try {
                thread.join(Duration.ofSeconds(2));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
