package dev.berth.supervisor;

import dev.berth.supervisor.Wish.Wished;

/**
 * The last part of a decision: containers that another one has replaced are removed once nothing
 * more urgent is to be done for their name. The one that was good last stays until the new one is
 * ready, so that a wish to go back needs no new container.
 */
final class TidyPlan {
    private final Turn turn;

    TidyPlan(Turn turn) {
        this.turn = turn;
    }

    void run() {
        for (Wished w : turn.wish.containers().values()) {
            Memo m = turn.memo(w.name());
            if (turn.busy(w.name()) || turn.planned(w.name()) || comesUp(w, m)) {
                continue;
            }
            for (Observed o : turn.cast(w.name()).extras()) {
                boolean kept = o.id().equals(m.goodId) && !m.ready && !turn.done(w);
                if (!o.running() && !kept && mayTry(m)) {
                    turn.steps.add(turn.removal(o, "another container has taken its place"));
                    break; // one step at a time for one name
                }
            }
        }
    }

    private boolean comesUp(Wished w, Memo m) {
        return turn.wish.running() && !turn.runs(w.name()) && !turn.done(w) && !m.held && !m.spent;
    }

    private boolean mayTry(Memo m) {
        if (!turn.reached(m.stopNotBefore)) {
            turn.wakeAt(m.stopNotBefore);
            return false;
        }
        return true;
    }
}
