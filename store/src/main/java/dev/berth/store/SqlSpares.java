package dev.berth.store;

import static dev.berth.store.Mapping.millis;
import static dev.berth.store.Mapping.text;
import static dev.berth.store.Mapping.textOrNull;

import dev.berth.model.AgentId;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;

/** Spare VMs of pools, and the addresses they have until somebody takes them. */
abstract class SqlSpares extends SqlAlerts {
    SqlSpares(Handle handle) {
        super(handle);
    }

    @Override
    public List<Rows.Spare> spares() {
        return list(Mapping::spare, "SELECT * FROM spares ORDER BY created_at, agent");
    }

    @Override
    public Optional<Rows.Spare> spare(AgentId agent) {
        return one(Mapping::spare, "SELECT * FROM spares WHERE agent = ?", agent.value());
    }

    @Override
    public void saveSpare(Rows.Spare spare) {
        run(
                """
                INSERT INTO spares (agent, cid, pool, state, shape, images, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (agent) DO UPDATE SET cid = excluded.cid, state = excluded.state,
                    shape = excluded.shape, images = excluded.images
                """,
                spare.agent().value(),
                textOrNull(spare.cid()),
                spare.pool(),
                spare.state(),
                text(spare.shape()),
                spare.images(),
                millis(spare.createdAt()));
    }

    @Override
    public void deleteSpare(AgentId agent) {
        run("DELETE FROM spares WHERE agent = ?", agent.value());
    }

    @Override
    public boolean reserveSpareIp(AgentId spare, String network, String address) {
        return run(
                        """
                        INSERT INTO ips (address, network, spare, is_static)
                        VALUES (?, ?, ?, FALSE) ON CONFLICT (address) DO NOTHING
                        """,
                        address,
                        network,
                        spare.value())
                > 0;
    }
}
