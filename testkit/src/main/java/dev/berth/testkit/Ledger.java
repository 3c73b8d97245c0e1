package dev.berth.testkit;

import dev.berth.model.VmCid;
import java.util.ArrayList;
import java.util.List;

/**
 * What containers wrote to a disk, in order, as a database keeps it: who writes goes on after the
 * last row it finds. Whoever copies a disk copies its ledger. Not thread-safe.
 */
public final class Ledger {
    /**
     * One write that was acknowledged.
     *
     * @param number counts from 1 on each disk that began blank
     */
    public record Row(long number, VmCid vm, String container) {}

    private final List<Row> rows;

    public Ledger() {
        this(List.of());
    }

    private Ledger(List<Row> rows) {
        this.rows = new ArrayList<>(rows);
    }

    public Row append(VmCid vm, String container) {
        var row = new Row(rows.size() + 1, vm, container);
        rows.add(row);
        return row;
    }

    /** One of its own, as it is now. */
    public Ledger copy() {
        return new Ledger(rows);
    }

    /** Loses the rows after the first so many, as no disk may: for tests of checkers. */
    public void truncate(int size) {
        rows.subList(size, rows.size()).clear();
    }

    public int size() {
        return rows.size();
    }

    public List<Row> rows() {
        return List.copyOf(rows);
    }

    @Override
    public String toString() {
        return size() + " rows";
    }
}
