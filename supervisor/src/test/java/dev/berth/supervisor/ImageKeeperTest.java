package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which images of the past go, and that none goes which may still be needed. */
class ImageKeeperTest {
    private static KnownImages after(int wishes) {
        KnownImages known = KnownImages.NONE;
        for (int i = 1; i <= wishes; i++) {
            known = known.wishing(List.of("image" + i, "same"));
        }
        return known;
    }

    @Test
    void presentWishAndTheOneBeforeStayWhateverTheDisk() {
        KnownImages known = after(3);
        assertThat(known.present()).containsExactly("image3", "same");
        assertThat(known.before()).containsExactly("image2", "same");
        assertThat(known.unneeded(Set.of(), false)).isEmpty();
        assertThat(known.unneeded(Set.of(), true)).containsExactly("image1");
        assertThat(known.unneeded(Set.of("image1"), true)).isEmpty();
    }

    @Test
    void aFewOfThePastStayAndTheOldestGoFirst() {
        assertThat(after(10).unneeded(Set.of(), false))
                .containsExactly("image3", "image2", "image1");
        assertThat(after(10).unneeded(Set.of(), true)).hasSize(8).doesNotContain("same");
    }

    @Test
    void sameWishAgainForgetsNothingOfTheOneBefore() {
        KnownImages known = after(3);
        assertThat(known.wishing(List.of("image3", "same"))).isSameAs(known);
        assertThat(known.wishing(List.of("same", "image3"))).isSameAs(known);
    }

    @Test
    void goingBackMakesAnImageNeededAgain() {
        KnownImages back = after(3).wishing(List.of("image1"));
        assertThat(back.unneeded(Set.of(), true)).containsExactly("image2");
        assertThat(KnownImages.parse(back.text())).isEqualTo(back);
    }

    /** Whatever is wished in whatever order: what may go is never of the last two wishes. */
    @Test
    void noOrderOfWishesLosesAnImageThatMayBeNeeded() {
        for (int seed = 0; seed < 500; seed++) {
            var random = new Random(seed);
            KnownImages known = KnownImages.NONE;
            List<String> last = List.of();
            List<String> beforeLast = List.of();
            for (int i = 0; i < 30; i++) {
                var wish = new ArrayList<String>();
                for (int n = random.nextInt(3); n >= 0; n--) {
                    wish.add("i" + random.nextInt(8));
                }
                known = known.wishing(wish);
                if (!Set.copyOf(wish).equals(Set.copyOf(last))) {
                    beforeLast = last;
                    last = wish;
                }
                var needed = new java.util.HashSet<>(last);
                needed.addAll(beforeLast);
                assertThat(known.unneeded(Set.of(), true))
                        .as("seed %s", seed)
                        .noneMatch(needed::contains)
                        .doesNotHaveDuplicates();
            }
        }
    }

    @Test
    void whatAFailedChangeGoesBackToStays() {
        var memory = SupervisorMemory.volatileOne();
        var engine = new FakeEngine(java.time.Instant::now);
        var keeper = new ImageKeeper(engine, memory, dev.berth.model.Clock.SYSTEM);
        for (String image : List.of("good:1", "b:1", "c:1", "d:1")) {
            engine.images.add(image);
            keeper.wished(List.of(image));
        }
        Wish good = Wish.of(List.of(Specs.named("aa").image("good:1").make()), true);
        memory.write(MemoryText.GOOD, MemoryText.ofWish(good));
        keeper.collect(true);
        assertThat(engine.images).containsExactlyInAnyOrder("good:1", "c:1", "d:1");
    }

    @Test
    void collectingSurvivesARestartAndAnEngineThatRefuses() {
        var memory = SupervisorMemory.volatileOne();
        var engine = new FakeEngine(java.time.Instant::now);
        var keeper = new ImageKeeper(engine, memory, dev.berth.model.Clock.SYSTEM);
        for (String image : List.of("a", "b", "c", "d")) {
            engine.images.add(image);
            keeper.wished(List.of(image));
        }
        engine.images.add("of somebody else");
        var next = new ImageKeeper(engine, memory, dev.berth.model.Clock.SYSTEM);
        next.open();
        next.preparing(List.of("a"));
        next.collect(true);
        assertThat(engine.images).containsExactlyInAnyOrder("a", "c", "d", "of somebody else");

        next.preparing(List.of());
        engine.refusals.put(
                "remove image", new dev.berth.engine.EngineException(409, "a container uses it"));
        next.collect(true);
        engine.refusals.clear();
        next.collect(true);
        assertThat(engine.images).containsExactlyInAnyOrder("c", "d", "of somebody else");
    }
}
