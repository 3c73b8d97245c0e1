package dev.berth.director;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.AgentId;
import dev.berth.monitor.AlertSink;
import dev.berth.store.Rows;
import dev.berth.wire.Alert;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** When a pool without a spare VM is an alert, and when that is over. */
class PoolAlarmTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant LATER = NOW.plus(PoolAlarm.EMPTY);

    private final List<String> told = new ArrayList<>();
    private final PoolAlarm alarm =
            new PoolAlarm(
                    new AlertSink() {
                        @Override
                        public void raised(Alert alert) {
                            told.add("raised " + alert.id() + ": " + alert.summary());
                        }

                        @Override
                        public void resolved(String id, String title) {
                            told.add("resolved " + id);
                        }

                        @Override
                        public void waiting(String about, String reason) {}
                    });

    /** A pool that cannot be filled for the reason given. */
    private static VmPools.Look unfillable(String why, Rows.Spare... spares) {
        return new VmPools.Look(
                new PoolWishes.Read(List.of(), Map.of("small", why), true),
                List.of(spares),
                PoolPlan.nothing(),
                Map.of());
    }

    private static Rows.Spare spare(String state) {
        return new Rows.Spare(new AgentId("a"), null, "small", state, Map.of(), "", NOW);
    }

    @Test
    void aPoolThatStaysEmptyIsOneAlertWithItsReason() {
        alarm.look(unfillable("there is no such stemcell", spare(Rows.Spare.BOOTING)), "", NOW);
        alarm.look(unfillable("there is no such stemcell"), "", LATER.minusMillis(1));
        assertThat(told).isEmpty();
        alarm.look(unfillable("there is no such stemcell"), "", LATER);
        alarm.look(unfillable("there is no such stemcell"), "", LATER.plusSeconds(600));
        assertThat(told)
                .singleElement()
                .asString()
                .startsWith("raised vm-pool/small: ")
                .contains("10 minutes", "there is no such stemcell");
    }

    /** Once for what a director before may have raised, then only for what was raised. */
    @Test
    void itEndsWithASpareVm() {
        alarm.look(unfillable(""), "", NOW);
        alarm.look(unfillable(""), "the cloud is full", LATER);
        assertThat(told).singleElement().asString().contains("No spare VM became ready");
        told.clear();
        alarm.look(unfillable("", spare(Rows.Spare.READY)), "", LATER);
        alarm.look(unfillable("", spare(Rows.Spare.READY)), "", LATER);
        assertThat(told).containsExactly("resolved vm-pool/small");
    }

    /** What was short of one for a while, and had one, begins to count anew. */
    @Test
    void aMomentWithASpareVmEndsTheWaiting() {
        alarm.look(unfillable(""), "", NOW);
        alarm.look(unfillable("", spare(Rows.Spare.READY)), "", NOW.plusSeconds(300));
        told.clear();
        alarm.look(unfillable(""), "", NOW.plusSeconds(301));
        alarm.look(unfillable(""), "", LATER);
        assertThat(told).isEmpty();
    }

    @Test
    void itEndsWithThePool() {
        alarm.look(unfillable(""), "", NOW);
        alarm.look(unfillable(""), "", LATER);
        told.clear();
        alarm.none();
        assertThat(told).containsExactly("resolved vm-pool/small");
    }
}
