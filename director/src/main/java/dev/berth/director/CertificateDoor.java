package dev.berth.director;

import dev.berth.bus.AgentDoor;
import dev.berth.bus.Pki;
import dev.berth.bus.Refusal;
import dev.berth.model.AgentId;
import dev.berth.model.Digests;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.wire.AgentSettings;
import java.util.Collection;
import java.util.Optional;

/** The door of the bus, which notes what certificate each agent is given. Thread-safe. */
record CertificateDoor(AgentDoor inner, Pki pki, Store store) implements AgentDoor {
    @Override
    public AgentSettings.Certificate admit(AgentId agent) {
        AgentSettings.Certificate given = inner.admit(agent);
        Rows.AgentCertificate row = row(pki, agent, given.ca(), given.certificate());
        store.update(s -> s.saveAgentCertificate(row));
        return given;
    }

    /** What is noted of a certificate, both in PEM. */
    static Rows.AgentCertificate row(Pki pki, AgentId agent, String ca, String certificate) {
        return new Rows.AgentCertificate(
                agent,
                Pki.endOf(certificate),
                Pki.renewalOf(certificate),
                pki.signerOf(certificate),
                Digests.sha256(ca),
                "");
    }

    @Override
    public void expel(AgentId agent) {
        inner.expel(agent);
        store.update(s -> s.deleteAgentCertificate(agent));
    }

    @Override
    public Optional<Refusal> refusal(Collection<String> addresses) {
        return inner.refusal(addresses);
    }

    @Override
    public void reset(Collection<AgentId> agents) {
        inner.reset(agents);
    }
}
