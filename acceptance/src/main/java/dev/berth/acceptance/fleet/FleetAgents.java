package dev.berth.acceptance.fleet;

import dev.berth.bus.Pki;
import dev.berth.model.AgentId;
import dev.berth.wire.AgentSettings;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import javax.net.ssl.TrustManager;

/**
 * The process of the made-up agents: {@code HOME PORT SECONDS}, where SECONDS is the time between
 * beats. Orders: {@code open COUNT HASH}, {@code adopt AGENT}, {@code connected}, {@code end
 * AGENT}, {@code mute AGENT}, {@code unmute AGENT}, {@code turn AGENT STATE}.
 */
public final class FleetAgents {
    private final Pki pki;
    private final TrustManager[] trust;
    private final FleetAgent.World world;
    private final Clock clock = Clock.systemUTC();
    private final Map<AgentId, FleetAgent> agents = new ConcurrentHashMap<>();
    private final AtomicLong refusals = new AtomicLong();

    private FleetAgents(Path home, int port, Duration period) throws Exception {
        pki = Pki.open(home.resolve("pki"), dev.berth.model.Clock.SYSTEM);
        trust = OwnCertificate.trust(pki.caCertificate());
        world = new FleetAgent.World(port, period, clock, refusals::incrementAndGet);
    }

    public static void main(String[] args) throws Exception {
        var all =
                new FleetAgents(
                        Path.of(args[0]),
                        Integer.parseInt(args[1]),
                        Duration.ofSeconds(Long.parseLong(args[2])));
        new Orders().serve(all::obey);
        System.exit(0);
    }

    private String obey(List<String> words) {
        return switch (words.getFirst()) {
            case "open" -> open(Integer.parseInt(words.get(1)), words.get(2));
            case "adopt" -> {
                AgentId id = new AgentId(words.get(1));
                agents.computeIfAbsent(id, i -> made(i, "")).start();
                yield "adopted";
            }
            case "connected" ->
                    agents.values().stream().filter(FleetAgent::isConnected).count()
                            + " "
                            + refusals.get();
            case "end" -> {
                Instant at = clock.instant();
                agent(words.get(1)).end();
                agents.remove(new AgentId(words.get(1)));
                yield micros(at);
            }
            case "mute", "unmute" -> {
                agent(words.get(1)).mute(words.getFirst().equals("mute"));
                yield micros(clock.instant());
            }
            case "turn" -> micros(agent(words.get(1)).turn(words.get(2)));
            default -> throw new IllegalArgumentException(words.getFirst());
        };
    }

    private FleetAgent agent(String id) {
        FleetAgent one = agents.get(new AgentId(id));
        if (one == null) {
            throw new IllegalArgumentException("no agent " + id);
        }
        return one;
    }

    private static String micros(Instant at) {
        return Long.toString(FleetAgent.micros(at));
    }

    /** All certificates first, side by side: to make them is no agent's work. */
    private String open(int count, String hash) {
        List<FleetAgent> made =
                IntStream.range(0, count)
                        .parallel()
                        .mapToObj(FleetNames::agent)
                        .map(id -> agents.computeIfAbsent(id, i -> made(i, hash)))
                        .toList();
        made.forEach(FleetAgent::start);
        return "opened";
    }

    private FleetAgent made(AgentId id, String hash) {
        AgentSettings.Certificate own = pki.agent(id);
        try {
            return new FleetAgent(id, OwnCertificate.tls(own, trust), world, hash);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
