package dev.berth.director;

import dev.berth.store.Rows;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What the pools lack and what they have too much of. Pure.
 *
 * @param end spare VMs that are to go, and why
 * @param ask those that nobody hears, so that cloud and agent have to be asked
 * @param greet those that were made and whose agents have not been waited for
 * @param forget rows of VMs that have been an instance's and are gone
 * @param tell those that are to have other images than they were told
 * @param make one entry for each that is to be made
 */
record PoolPlan(
        List<Leaving> end,
        List<Rows.Spare> ask,
        List<Rows.Spare> greet,
        List<Rows.Spare> forget,
        List<Rows.Spare> tell,
        List<PoolWish> make) {
    record Leaving(Rows.Spare spare, String why) {}

    /**
     * What is known of the spare VMs.
     *
     * @param owned whether the VM row of an instance names it
     * @param unheard whether its agent has been silent for too long
     * @param images digest over the images that a spare VM of a pool is to have; null: nobody has
     *     looked
     */
    record Seen(
            List<Rows.Spare> spares,
            Predicate<Rows.Spare> owned,
            Predicate<Rows.Spare> unheard,
            Function<PoolWish, String> images) {}

    static PoolPlan of(PoolWishes.Read wishes, Seen seen) {
        var plan =
                new PoolPlan(
                        new ArrayList<>(),
                        new ArrayList<>(),
                        new ArrayList<>(),
                        new ArrayList<>(),
                        new ArrayList<>(),
                        new ArrayList<>());
        Map<String, List<Rows.Spare>> byPool =
                seen.spares().stream().collect(Collectors.groupingBy(Rows.Spare::pool));
        for (PoolWish wish : wishes.pools()) {
            plan.fill(wish, byPool.getOrDefault(wish.name(), List.of()), seen);
        }
        byPool.forEach((pool, spares) -> {
            boolean wished = wishes.pools().stream().anyMatch(w -> w.name().equals(pool));
            if (!wished) {
                boolean gone = wishes.readable() && !wishes.problems().containsKey(pool);
                spares.forEach(spare -> plan.left(spare, seen, gone));
            }
        });
        return plan;
    }

    boolean isEmpty() {
        return end.isEmpty()
                && ask.isEmpty()
                && greet.isEmpty()
                && forget.isEmpty()
                && tell.isEmpty()
                && make.isEmpty();
    }

    /** Whether only that is to be done which can wait until nobody else works. */
    boolean canWait() {
        return end.isEmpty() && ask.isEmpty() && forget.isEmpty();
    }

    private void left(Rows.Spare spare, Seen seen, boolean poolIsGone) {
        if (isInstances(spare, seen) || spare.is(Rows.Spare.MAKING)) {
            return;
        }
        if (poolIsGone || spare.is(Rows.Spare.LEAVING)) {
            end.add(new Leaving(spare, "no vm_pools has its pool any more"));
        }
    }

    /** One that was taken is none of the pool's; its row goes with the VM, or after it. */
    private boolean isInstances(Rows.Spare spare, Seen seen) {
        boolean taken = spare.is(Rows.Spare.TAKEN);
        if (taken && !seen.owned().test(spare)) {
            forget.add(spare);
        }
        return taken;
    }

    private void fill(PoolWish wish, List<Rows.Spare> spares, Seen seen) {
        var kept = new ArrayList<Rows.Spare>();
        for (Rows.Spare spare : spares) {
            if (isInstances(spare, seen)) {
                continue;
            }
            if (spare.is(Rows.Spare.MAKING)) {
                kept.add(spare);
            } else if (spare.is(Rows.Spare.LEAVING)) {
                end.add(new Leaving(spare, "it was to go before"));
            } else if (!wish.fits(spare)) {
                end.add(new Leaving(spare, "its pool is made from something else now"));
            } else {
                kept.add(spare);
            }
        }
        // Those that serve longest stay: they have the images.
        kept.sort(
                Comparator.comparing((Rows.Spare s) -> !s.is(Rows.Spare.READY))
                        .thenComparing(Rows.Spare::createdAt));
        while (kept.size() > wish.size()) {
            Rows.Spare last = kept.removeLast();
            if (!last.is(Rows.Spare.MAKING)) {
                end.add(new Leaving(last, "its pool has one too many"));
            }
        }
        for (Rows.Spare spare : kept) {
            if (spare.is(Rows.Spare.BOOTING)) {
                greet.add(spare);
            } else if (spare.is(Rows.Spare.READY) && seen.unheard().test(spare)) {
                ask.add(spare);
            } else if (spare.is(Rows.Spare.READY)
                    && !spare.images().equals(seen.images().apply(wish))) {
                tell.add(spare);
            }
        }
        for (int i = kept.size(); i < wish.size(); i++) {
            make.add(wish);
        }
    }
}
