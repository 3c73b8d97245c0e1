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
    private double chance;
    private int done;

    Crashes(Random random) {
        this.random = random;
    }

    /** Dies at the n-th moment from now on, counted from 1; 0: never. */
    void at(long moment) {
        passed = 0;
        at = moment;
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

    /** One such moment of the process of that group. */
    void moment(SimClock.Group process, String where) {
        if (process.isDead()) {
            throw new SimulatedCrash(process + " is dead");
        }
        passed++;
        boolean now = passed == at || chance > 0 && random.nextDouble() < chance;
        if (now) {
            done++;
            process.kill();
            throw new SimulatedCrash(where);
        }
    }
}
