package dev.berth.director;

import dev.berth.bus.Pki;
import dev.berth.director.Finding.Repair;
import dev.berth.model.Clock;
import dev.berth.model.EnvironmentFile;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What all deployments of a local environment stand on: the keys an operator must have a copy of,
 * certificates, store, bus and registry. Looks, and changes nothing but one setting of the store.
 */
final class EnvironmentHealth implements Doctor.EnvironmentHealth {
    private static final Duration SOON = Duration.ofDays(90);
    private static final int CONNECT_MILLIS = 3_000;

    private static final Set<PosixFilePermission> OTHERS =
            Set.of(
                    PosixFilePermission.GROUP_READ,
                    PosixFilePermission.GROUP_WRITE,
                    PosixFilePermission.OTHERS_READ,
                    PosixFilePermission.OTHERS_WRITE);

    private final Path home;
    private final EnvironmentFile environment;
    private final Store store;
    private final SecretBox box;
    private final RegistryClient registry;
    private final Clock clock;

    EnvironmentHealth(
            Path home,
            EnvironmentFile environment,
            Store store,
            SecretBox box,
            RegistryClient registry,
            Clock clock) {
        this.home = home;
        this.environment = environment;
        this.store = store;
        this.box = box;
        this.registry = registry;
        this.clock = clock;
    }

    @Override
    public Set<String> networks() {
        return Set.of(environment.networkName());
    }

    /** What cannot be made again: without them neither secrets nor records of agents open. */
    static List<Path> keys(Path home) {
        return List.of(
                home.resolve("env.json"),
                home.resolve("director/key"),
                home.resolve("pki/ca.crt"),
                home.resolve("pki/ca.key"));
    }

    @Override
    public List<Finding> look() {
        var findings = new ArrayList<Finding>();
        keys(home).forEach(file -> key(file, findings));
        for (String name : List.of("ca", "nats", "director", "registry")) {
            certificate(home.resolve("pki").resolve(name + ".crt"), findings);
        }
        store(findings);
        bus(findings);
        registry(findings);
        return findings;
    }

    private static void add(
            List<Finding> to,
            String kind,
            String subject,
            String expected,
            String found,
            String remedy) {
        to.add(new Finding(kind, subject, "", "", expected, found, new Repair.ByHand(remedy)));
    }

    private static void key(Path file, List<Finding> findings) {
        try {
            if (Files.size(file) == 0) {
                throw new IOException("it is empty");
            }
            Files.readAllBytes(file);
            Set<PosixFilePermission> open = Files.getPosixFilePermissions(file);
            open.retainAll(OTHERS);
            if (!open.isEmpty() && !file.toString().endsWith(".crt")) {
                add(
                        findings,
                        "key-exposed",
                        file.toString(),
                        "readable by its owner alone",
                        "open to " + open,
                        "chmod 600 " + file);
            }
        } catch (IOException e) {
            add(
                    findings,
                    "key-unreadable",
                    file.toString(),
                    "readable",
                    e.toString(),
                    "put it back from your copy: nothing can make it again");
        }
    }

    private void certificate(Path file, List<Finding> findings) {
        try {
            String text = Files.readString(file);
            Instant end = Pki.endOf(text);
            boolean ca = file.endsWith("ca.crt");
            // The others are made anew in the last third of their life, however long that is.
            Duration soon = Duration.between(Pki.renewalOf(text), end).dividedBy(2);
            soon = ca && soon.compareTo(SOON) > 0 ? SOON : soon;
            if (clock.now().plus(soon).isAfter(end)) {
                add(
                        findings,
                        "certificate-old",
                        file.toString(),
                        "good for " + soon.toDays() + " days more",
                        "ends on " + end,
                        ca
                                ? "berth rotate-ca"
                                : "see in the director's log why it was not renewed; a start renews it, too");
            }
        } catch (IOException | IllegalArgumentException e) {
            add(
                    findings,
                    "certificate-unreadable",
                    file.toString(),
                    "a certificate",
                    e.toString(),
                    "start the director anew: it makes those that it can");
        }
    }

    private void store(List<Finding> findings) {
        try {
            store.update(s -> s.putSetting("doctor", clock.now().toString()));
            for (Rows.Variable variable : store.read(s -> s.variables("/"))) {
                box.unseal(variable.name(), variable.sealed());
            }
        } catch (IllegalStateException e) {
            add(
                    findings,
                    "secrets-sealed-otherwise",
                    home.resolve("director/key").toString(),
                    "opens what the store holds",
                    String.valueOf(e.getMessage()),
                    "put the key back that belongs to this store");
        } catch (RuntimeException e) {
            add(
                    findings,
                    "store",
                    "store",
                    "takes and gives back",
                    String.valueOf(e.getMessage()),
                    "free space, or restore the database");
        }
    }

    private void bus(List<Finding> findings) {
        try (var socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress("127.0.0.1", environment.busPort()), CONNECT_MILLIS);
        } catch (IOException e) {
            add(
                    findings,
                    "bus",
                    "127.0.0.1:" + environment.busPort(),
                    "takes connections",
                    e.toString(),
                    "see " + home.resolve("director/nats") + "; the director starts it again");
        }
    }

    private void registry(List<Finding> findings) {
        try {
            registry.has("berth/none", "latest");
        } catch (IOException e) {
            add(
                    findings,
                    "registry",
                    "127.0.0.1:" + environment.registryPort(),
                    "answers",
                    String.valueOf(e.getMessage()),
                    "see " + home.resolve("registry") + "; the director starts it again");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
