package dev.berth.simulation;

import dev.berth.testkit.SimClock;
import dev.berth.testkit.SimulatedCrash;
import java.util.Random;

/**
 * Where the director may die: each moment around a write, a call of the cloud, a call of an agent.
 */
final class Crashes {
    private final Random random;
    private long passed;
    private long at;
    private long again;
    private double chance;
    private int done;
    private String last = "";

    Crashes(Random random) {
        this.random = random;
    }

    /** Dies at the n-th moment from now on, counted from 1; 0: never. */
    void at(long moment) {
        at(moment, 0);
    }

    /** The same, and once more so many moments later. */
    void at(long moment, long later) {
        passed = 0;
        at = moment;
        again = later == 0 ? 0 : moment + later;
    }

    /** Dies at each moment with this chance. */
    void chance(double value) {
        chance = value;
    }

    /** Moments passed since {@link #at} was called. */
    long passed() {
        return passed;
    }

    int done() {
        return done;
    }

    /** Where it died last. */
    String last() {
        return last;
    }

    /** One such moment of the process of that group. */
    void moment(SimClock.Group process, String where) {
        if (process.isDead()) {
            throw new SimulatedCrash(process + " is dead");
        }
        passed++;
        boolean now = passed == at || passed == again || chance > 0 && random.nextDouble() < chance;
        if (now) {
            done++;
            last = where;
            process.kill();
            throw new SimulatedCrash(where);
        }
    }
}
