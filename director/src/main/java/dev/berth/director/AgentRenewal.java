package dev.berth.director;

import dev.berth.bus.AgentCalls;
import dev.berth.bus.AgentException;
import dev.berth.bus.Pki;
import dev.berth.model.AgentId;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.wire.AgentSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Gives one agent a new certificate for the bus. Agents of ours make the key themselves; to others
 * certificate and key go by {@code update_settings}, as in BOSH. Done twice it does no harm.
 */
final class AgentRenewal {
    private static final System.Logger LOG = System.getLogger(AgentRenewal.class.getName());

    /** An agent tries for some seconds; a stock one starts anew. */
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Pki pki;
    private final Store store;
    private final AgentCalls agents;
    private final List<String> busUrls;

    /**
     * @param busUrls as agents know them
     */
    AgentRenewal(Pki pki, Store store, AgentCalls agents, List<String> busUrls) {
        this.pki = pki;
        this.store = store;
        this.agents = agents;
        this.busUrls = busUrls;
    }

    /** Null when the agent has come back with the new one; else why it has not. */
    @Nullable String renew(Rows.Vm vm) {
        try {
            Rows.AgentCertificate row = given(vm);
            store.update(s -> s.saveAgentCertificate(row));
            LOG.log(
                    System.Logger.Level.INFO,
                    "agent={0} certificate=renewed ends={1}",
                    vm.agent(),
                    row.endsAt());
            return null;
        } catch (AgentException | IllegalArgumentException e) {
            String why = Why.words(e);
            store.update(s -> s.saveAgentCertificate(known(s.agentCertificates(), vm, why)));
            LOG.log(
                    System.Logger.Level.WARNING,
                    "agent={0} certificate=not renewed reason=''{1}''",
                    vm.agent(),
                    why);
            return why;
        }
    }

    private static Rows.AgentCertificate known(
            List<Rows.AgentCertificate> all, Rows.Vm vm, String why) {
        return all.stream()
                .filter(c -> c.agent().equals(vm.agent()))
                .findFirst()
                .map(c -> c.troubled(why))
                .orElse(
                        new Rows.AgentCertificate(
                                vm.agent(), Instant.EPOCH, Instant.EPOCH, "", "", why));
    }

    private Rows.AgentCertificate given(Rows.Vm vm) {
        AgentId agent = vm.agent();
        Fields key;
        try {
            key = Fields.of(agents.call(agent, "new_bus_key", List.of(), LIMIT), "key");
        } catch (AgentException e) {
            if (e.kind() != AgentException.Kind.UNKNOWN_METHOD) {
                throw e;
            }
            return givenWithKey(vm);
        }
        Pki.Signed signed = pki.sign(agent, key.string("public_key"), key.string("proof"));
        agents.call(
                agent,
                "use_bus_certificate",
                List.of(
                        Json.of(
                                "ca",
                                signed.ca(),
                                "certificate",
                                signed.certificate(),
                                "registry_ca",
                                signed.ca())),
                LIMIT);
        return CertificateDoor.row(pki, agent, signed.ca(), signed.certificate());
    }

    /** The first two keys always replace what was: they are sent as they were sent last. */
    private Rows.AgentCertificate givenWithKey(Rows.Vm vm) {
        AgentSettings.Certificate made = pki.agent(vm.agent());
        Map<String, Object> cert =
                Json.of(
                        "ca",
                        made.ca(),
                        "certificate",
                        made.certificate(),
                        "private_key",
                        made.privateKey());
        agents.call(
                vm.agent(),
                "update_settings",
                List.of(
                        Json.of(
                                "trusted_certs",
                                "",
                                "disk_associations",
                                associations(vm),
                                "mbus",
                                Json.of("cert", cert, "urls", busUrls))),
                LIMIT);
        return CertificateDoor.row(pki, vm.agent(), made.ca(), made.certificate());
    }

    private List<Object> associations(Rows.Vm vm) {
        List<Object> all = new ArrayList<>();
        for (Rows.Disk disk : store.read(s -> s.disks(vm.instance()))) {
            if (DiskRecords.isRaw(disk) && vm.cid().equals(disk.attachedTo())) {
                all.add(Json.of("name", disk.name(), "cid", disk.cid().value()));
            }
        }
        return all;
    }
}
