package dev.berth.director;

import dev.berth.cpi.Cpi;
import dev.berth.model.Clock;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.util.Optional;
import java.util.UUID;

/** What the jobs on stemcells share. */
record StemcellWork(Store store, Cpi cpi, DirectorIdentity identity, Clock clock) {
    /** Name of the only CPI where there is no CPI config. */
    static final String DEFAULT_CPI = "";

    Journal journal() {
        return new Journal(store, clock, () -> UUID.randomUUID().toString());
    }

    Optional<Rows.Stemcell> find(String name, String version) {
        return store.read(s -> s.stemcells()).stream()
                .filter(row ->
                        row.name().equals(name)
                                && row.version().equals(version)
                                && row.cpi().equals(DEFAULT_CPI))
                .findFirst();
    }
}
