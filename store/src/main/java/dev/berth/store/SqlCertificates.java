package dev.berth.store;

import static dev.berth.store.Mapping.millis;

import dev.berth.model.AgentId;
import java.util.List;
import org.jdbi.v3.core.Handle;

/** What is known of agents' certificates. */
abstract class SqlCertificates extends SqlSpares {
    SqlCertificates(Handle handle) {
        super(handle);
    }

    @Override
    public List<Rows.AgentCertificate> agentCertificates() {
        return list(Mapping::agentCertificate, "SELECT * FROM agent_certificates ORDER BY agent");
    }

    @Override
    public void saveAgentCertificate(Rows.AgentCertificate certificate) {
        run(
                """
                INSERT INTO agent_certificates (agent, ends_at, renew_at, signer, trust, trouble)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (agent) DO UPDATE SET ends_at = excluded.ends_at,
                    renew_at = excluded.renew_at, signer = excluded.signer,
                    trust = excluded.trust, trouble = excluded.trouble
                """,
                certificate.agent().value(),
                millis(certificate.endsAt()),
                millis(certificate.renewAt()),
                certificate.signer(),
                certificate.trust(),
                certificate.trouble());
    }

    @Override
    public void deleteAgentCertificate(AgentId agent) {
        run("DELETE FROM agent_certificates WHERE agent = ?", agent.value());
    }
}
