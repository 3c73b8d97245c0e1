package dev.berth.agent;

import dev.berth.engine.DockerEngine;
import dev.berth.engine.Engine.RegistryAuth;
import dev.berth.model.Clock;
import dev.berth.supervisor.DaemonKeeper;
import dev.berth.supervisor.DaemonPlace;
import dev.berth.supervisor.DaemonProcess;
import dev.berth.supervisor.DaemonWatch;
import dev.berth.supervisor.DockerdProcess;
import dev.berth.supervisor.FileMemory;
import dev.berth.supervisor.ForwardClock;
import dev.berth.supervisor.RegistryAuths;
import dev.berth.supervisor.Supervisor;
import dev.berth.supervisor.SupervisorConfig;
import dev.berth.wire.AgentSettings.Registry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.logging.FileHandler;
import java.util.logging.Handler;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.jspecify.annotations.Nullable;

/**
 * The agent's program. It may end or be killed at any moment: containers and the Docker daemon live
 * on, and the next one takes over what it finds.
 */
public final class Main {
    private static final String LOG_FORMAT = "java.util.logging.SimpleFormatter.format";
    private static final int LOG_BYTES = 4 * 1024 * 1024;

    private Main() {}

    public static void main(String[] args) throws Exception {
        if (System.getProperty(LOG_FORMAT) == null) {
            System.setProperty(LOG_FORMAT, "%1$tFT%1$tT.%1$tL %4$s %5$s%6$s%n");
        }
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("berth-agent: " + e.getMessage() + "\n" + Options.USAGE);
            System.exit(2);
            return;
        }
        switch (options.mode()) {
            case HELP -> System.out.println(Options.USAGE);
            case VERSION -> System.out.println(version());
            case TRAIN -> {
                TrainingRun.run();
                System.exit(0); // threads of the rehearsal would keep it alive
            }
            case RUN -> {
                var gate = new DaemonKeeper.Gate(daemonPlace(options));
                Running running = run(options, dockerd(options, gate), gate);
                running.agent().tellOfLastLife(Path.of("/run/berth"));
                Pulse.start(Path.of("/run/berth"));
                Thread.currentThread().join();
            }
        }
    }

    /** Beside standard error: what {@code fetch_logs} of type agent collects. Bounded. */
    private static Handler logToFile(Layout layout) {
        try {
            Path folder = Files.createDirectories(layout.bosh().resolve("log"));
            var file =
                    new FileHandler(folder.resolve("agent.%g.log").toString(), LOG_BYTES, 2, true);
            file.setFormatter(new SimpleFormatter());
            Logger.getLogger("").addHandler(file);
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the agent's log", e);
        }
    }

    private static String version() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "0.1.0" : version;
    }

    /** Constructs everything, in the order in which it stands on each other, and starts it. */
    static Running run(Options options, DaemonProcess daemon) {
        return run(options, daemon, new DaemonKeeper.Gate(daemonPlace(options)));
    }

    private static Running run(Options options, DaemonProcess daemon, DaemonKeeper.Gate gate) {
        Clock clock = Clock.SYSTEM;
        Clock forward = new ForwardClock(); // for all that waits
        Layout layout = Layout.of(options.base());
        Handler log = logToFile(layout);
        Settings settings = Settings.load(layout, options.settings());

        var programs = new Programs.Real();
        DiskPorts disks = DiskPorts.of(layout, programs);
        disks.kernel().start();
        var engine = new DockerEngine(options.dockerSocket());
        var proof = new SupervisedWorkload.Proof(new MountProver(layout, disks.tools())::quick);
        var supervisor =
                new Supervisor(
                        engine,
                        supervision(layout, settings, gate),
                        forward,
                        proof,
                        registryAuths(settings.document().registry()),
                        new FileMemory(layout.bosh().resolve("supervisor")));
        var workload = new SupervisedWorkload(engine, supervisor, layout, proof);
        var watch =
                new DaemonWatch(
                        new DockerEngine(options.dockerSocket()),
                        daemon,
                        forward,
                        supervisor::reconciled,
                        workload::onDaemon);

        var keeper =
                new DaemonKeeper(
                        gate,
                        daemon,
                        new DockerEngine(options.dockerSocket()),
                        watch,
                        supervisor,
                        clock);
        workload.daemonKept(keeper);
        var agent = new Agent(layout, settings, workload, disks, programs, clock);
        supervisor.open();
        // Containers are judged only when the daemon is known, and that only when the disk is.
        agent.start(() -> {
            watch.open();
            Thread.ofVirtual().name("daemon settings").start(keeper::recover);
        });
        return new Running(agent, watch, supervisor, engine, log);
    }

    /** Everything that was started; closing it leaves containers and daemon as they are. */
    record Running(
            Agent agent, DaemonWatch watch, Supervisor supervisor, DockerEngine engine, Handler log)
            implements AutoCloseable {
        @Override
        public void close() {
            agent.close();
            watch.close();
            supervisor.close();
            engine.close();
            Logger.getLogger("").removeHandler(log);
            log.close();
        }
    }

    private static DaemonProcess dockerd(Options options, DaemonKeeper.Gate gate) {
        Path start = Layout.of(options.base()).bosh().resolve("bin/berth-dockerd");
        return new DockerdProcess(options.dockerPidFile(), List.of(start.toString()), gate::isOpen);
    }

    private static DaemonPlace daemonPlace(Options options) {
        return DaemonPlace.inVm(options.base(), options.dockerSocket(), options.dockerPidFile());
    }

    private static SupervisorConfig supervision(
            Layout layout, Settings settings, DaemonKeeper.Gate gate) {
        return new SupervisorConfig(
                settings.agentId().value(),
                bootId(layout),
                layout.store(),
                layout.data(),
                "berth",
                Duration.ofSeconds(10),
                layout.memory(),
                gate);
    }

    /**
     * The kernel's boot, and the first process's life: a VM that is a container boots more often.
     */
    private static String bootId(Layout layout) {
        return DurableFile.read(layout.proc().resolve("sys/kernel/random/boot_id"))
                        .orElse("")
                        .strip()
                + "-"
                + ProcessTimes.startTicks(layout.proc(), 1);
    }

    private static RegistryAuths registryAuths(@Nullable Registry registry) {
        if (registry == null || registry.username().isEmpty()) {
            return RegistryAuths.none();
        }
        var auth = new RegistryAuth(registry.username(), registry.password(), registry.name());
        return reference -> reference.startsWith(registry.name() + "/") ? auth : null;
    }

    /** What the command line says. */
    record Options(Mode mode, Path base, Path settings, Path dockerSocket, Path dockerPidFile) {
        enum Mode {
            RUN,
            TRAIN,
            VERSION,
            HELP
        }

        static final String USAGE =
                """
                usage: berth-agent [-b DIR] [--settings FILE] [--docker-socket PATH] [--docker-pid-file PATH]
                  -b DIR                  base directory (/var/vcap)
                  --settings FILE         the CPI's settings document (DIR/bosh/warden-cpi-agent-env.json)
                  --docker-socket PATH    of the VM's Docker Engine (/var/run/docker.sock)
                  --docker-pid-file PATH  of the VM's Docker Engine (/run/docker.pid)
                  --train                 rehearse against peers of its own and end: for the AOT cache
                  -v                      print the version\
                """;

        static Options parse(String... args) {
            Mode mode = Mode.RUN;
            String base = "/var/vcap";
            String settings = "";
            String socket = "/var/run/docker.sock";
            String pidFile = "/run/docker.pid";
            for (int i = 0; i < args.length; i++) {
                switch (args[i]) {
                    case "-b" -> base = value(args, ++i);
                    case "--settings" -> settings = value(args, ++i);
                    case "--docker-socket" -> socket = value(args, ++i);
                    case "--docker-pid-file" -> pidFile = value(args, ++i);
                    case "--train" -> mode = Mode.TRAIN;
                    case "-v", "--version" -> mode = Mode.VERSION;
                    case "-h", "--help" -> mode = Mode.HELP;
                    default ->
                            throw new IllegalArgumentException("unknown option '" + args[i] + "'");
                }
            }
            Path home = Path.of(base);
            Path document =
                    settings.isEmpty()
                            ? home.resolve("bosh/warden-cpi-agent-env.json")
                            : Path.of(settings);
            return new Options(mode, home, document, Path.of(socket), Path.of(pidFile));
        }

        private static String value(String[] args, int index) {
            if (index >= args.length) {
                throw new IllegalArgumentException("option " + args[index - 1] + " needs a value");
            }
            return args[index];
        }
    }
}
