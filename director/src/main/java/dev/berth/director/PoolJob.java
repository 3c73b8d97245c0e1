package dev.berth.director;

import dev.berth.bus.AgentException;
import dev.berth.cpi.CpiException;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The task that does what the pools need: once, in an order in which nothing waits for what takes
 * longest. What fails keeps nothing else from being done.
 */
final class PoolJob {
    /** A pool is no reason to keep a cloud, or the one machine there is, busy. */
    private static final int AT_ONCE = 2;

    private final Hands hands;
    private final VmPools pools;

    PoolJob(Hands hands, VmPools pools) {
        this.hands = hands;
        this.pools = pools;
    }

    String run(TaskContext task) throws Exception {
        try (Locks.Held ignored = task.lock("vm_pools", List.of("all"))) {
            new Settlement(hands).settleSpares();
            return new Round(task).run();
        }
    }

    private interface Act<T> {
        void on(T item) throws InterruptedException;
    }

    private final class Round {
        private final TaskContext task;
        private final SpareActs acts;
        private final List<String> failed = Collections.synchronizedList(new ArrayList<>());

        Round(TaskContext task) {
            this.task = task;
            this.acts = new SpareActs(hands, task);
        }

        String run() throws Exception {
            VmPools.Look look = pools.look();
            PoolPlan plan = look.plan();
            plan.forget().forEach(spare -> hands.store().update(s -> s.deleteSpare(spare.agent())));
            each("Asking silent spare VMs", plan.ask(), acts::ask);
            each(
                    "Deleting spare VMs",
                    plan.end(),
                    leaving -> acts.delete(leaving.spare(), leaving.why()));
            each("Awaiting spare VMs", plan.greet(), acts::greet);
            List<PoolWish> make = hands.cpi().readdressesVms() ? plan.make() : List.of();
            if (!make.isEmpty()) {
                TaskLog.Stage stage =
                        task.log().stage("Creating spare VMs", List.of(), make.size());
                hands.parallel()
                        .forEach(
                                make,
                                AT_ONCE,
                                wish -> stage.step(wish.name(), step -> attempt(wish, this::make)));
            }
            tell();
            if (!failed.isEmpty()) {
                throw new ProblemException(450001, String.join("; ", failed));
            }
            return "vm pools looked after";
        }

        private void make(PoolWish wish) throws InterruptedException {
            if (!pools.isInTheWay()) {
                Rows.Spare ignored = acts.make(wish);
            }
        }

        /** After all else: those that are new are among them. */
        private void tell() throws InterruptedException {
            VmPools.Look look = pools.look();
            for (Rows.Spare spare : look.plan().tell()) {
                task.checkCancelled();
                if (!pools.isInTheWay()) {
                    PoolImages.Wanted wanted =
                            look.images().getOrDefault(spare.pool(), PoolImages.NONE);
                    acts.tell(spare, wanted.containers(), wanted.digest());
                }
            }
        }

        private <T> void each(String title, List<T> items, Act<T> act) throws Exception {
            if (items.isEmpty()) {
                return;
            }
            TaskLog.Stage stage = task.log().stage(title, List.of(), items.size());
            for (T item : items) {
                task.checkCancelled();
                stage.step(subject(item), step -> attempt(item, act));
            }
        }

        private static String subject(Object item) {
            return switch (item) {
                case PoolPlan.Leaving leaving -> String.valueOf(leaving.spare().cid());
                case Rows.Spare spare -> String.valueOf(spare.cid());
                default -> "spare VM";
            };
        }

        private <T> void attempt(T item, Act<T> act) throws InterruptedException {
            try {
                act.on(item);
            } catch (CpiException | ProblemException | AgentException e) {
                failed.add(Failures.message(e));
                task.log().debug("a spare VM", e);
            }
        }
    }
}
