package dev.berth.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.supervisor.Observed.Health;
import dev.berth.supervisor.Observed.Phase;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** News that overtake each other. */
class ReconcilerTest {
    private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");
    private final Reconciler reconciler = new Reconciler(new Random(1));
    private final Wish wish = Wish.of(List.of(Specs.named("a").make()), true);

    private Observed seen(Phase phase, @Nullable Integer code) {
        String digest = wish.specs().getFirst().digest();
        return new Observed(
                "a", "a", "id1", digest, "", phase, Health.NONE, code, false, null, Set.of());
    }

    @BeforeEach
    void running() {
        reconciler.wish(wish);
        reconciler.daemon(true);
        reconciler.listed(reconciler.listBegins(), List.of(seen(Phase.RUNNING, null)), T0);
        assertThat(reconciler.turn(T0).steps()).isEmpty();
    }

    private Memo memo() {
        return reconciler.memos().getOrDefault("a", new Memo());
    }

    private Step.StartContainer dies(Instant at) {
        reconciler.event(new EngineEvent("die", "id1", 137, at), at);
        List<Step> steps = reconciler.turn(at).steps();
        assertThat(steps).singleElement().isInstanceOf(Step.StartContainer.class);
        return (Step.StartContainer) steps.getFirst();
    }

    /** The event alone brings the start: no list is waited for. */
    @Test
    void aDeathIsAnsweredWithoutAList() {
        dies(T0.plusSeconds(1));
        assertThat(memo().lastExit).isEqualTo(new LastExit(137, false, T0.plusSeconds(1)));
    }

    /** The engine updates its list after it tells of the end: a list that lags is not believed. */
    @Test
    void aListThatLagsIsNotBelieved() {
        Instant death = T0.plusSeconds(1);
        reconciler.event(new EngineEvent("die", "id1", 1, death), death);
        reconciler.listed(reconciler.listBegins(), List.of(seen(Phase.RUNNING, null)), death);
        assertThat(reconciler.turn(death).steps()).hasSize(1);
    }

    /** The same end told twice is one end. */
    @Test
    void aDeathToldTwiceIsOneDeath() {
        Instant death = T0.plusSeconds(1);
        Step.StartContainer start = dies(death);
        reconciler.event(new EngineEvent("die", "id1", 137, death), death.plusMillis(5));
        reconciler.outcome(start, new Outcome.Done(), death.plusMillis(300));
        reconciler.event(new EngineEvent("die", "id1", 137, death), death.plusMillis(400));
        assertThat(reconciler.turn(death.plusMillis(500)).steps()).isEmpty();
        assertThat(memo().failures).isEqualTo(1);
    }

    /** A container that dies before its start is answered is not taken to run. */
    @Test
    void aDeathThatOvertakesItsStartCounts() {
        Instant death = T0.plusSeconds(1);
        Step.StartContainer start = dies(death);
        reconciler.event(new EngineEvent("start", "id1", null, death.plusMillis(200)), death);
        reconciler.event(
                new EngineEvent("die", "id1", 2, death.plusMillis(250)), death.plusMillis(260));
        reconciler.outcome(start, new Outcome.Done(), death.plusMillis(300));
        reconciler.turn(death.plusMillis(300));
        assertThat(memo().failures).isEqualTo(2);
        assertThat(memo().state).isEqualTo(ContainerState.BACKOFF);
    }

    /** After an unknown outcome nothing is done before a list that was asked for later. */
    @Test
    void anUnknownOutcomeWaitsForALook() {
        Instant death = T0.plusSeconds(1);
        Step.StartContainer start = dies(death);
        long early = reconciler.listBegins();
        reconciler.outcome(start, new Outcome.Unknown("timeout"), death);
        reconciler.listed(early, List.of(seen(Phase.EXITED, 137)), death);
        assertThat(reconciler.turn(death).steps()).isEmpty();
        reconciler.listed(reconciler.listBegins(), List.of(seen(Phase.RUNNING, null)), death);
        assertThat(reconciler.turn(death).steps()).isEmpty();
        assertThat(memo().state).isEqualTo(ContainerState.UP);
    }

    /** Being killed for want of memory is told by an event of its own and kept with the exit. */
    @Test
    void outOfMemoryIsKept() {
        Instant death = T0.plusSeconds(1);
        reconciler.event(new EngineEvent("oom", "id1", null, death), death);
        dies(death);
        LastExit exit = memo().lastExit;
        assertThat(exit).isNotNull();
        assertThat(String.valueOf(exit == null ? "" : exit.text())).contains("out of memory");
    }

    /**
     * A spec that is corrected while the wrong one is being tried does not wait for its back-off.
     */
    @Test
    void whatAnOlderSpecWasRefusedDelaysNotTheNewOne() {
        Step.StartContainer start = dies(T0.plusSeconds(1));
        reconciler.wish(Wish.of(List.of(Specs.named("a").image("img:2").make()), true));
        reconciler.imageIsHere("img:2");
        reconciler.turn(T0.plusSeconds(2));
        reconciler.outcome(
                start, new Outcome.Failed("no such program", true, false), T0.plusSeconds(3));
        assertThat(reconciler.turn(T0.plusSeconds(3)).steps()).isNotEmpty();
        assertThat(memo().failures).isZero();
        assertThat(memo().state).isNotEqualTo(ContainerState.BLOCKED);
    }

    /** A list that comes between the kernel's kill and the end knows nothing of it. */
    @Test
    void outOfMemoryIsKeptWhenAListComesBetween() {
        Instant death = T0.plusSeconds(1);
        reconciler.event(new EngineEvent("oom", "id1", null, death), death);
        reconciler.listed(reconciler.listBegins(), List.of(seen(Phase.RUNNING, null)), death);
        dies(death.plusMillis(20));
        assertThat(memo().lastExit).isEqualTo(new LastExit(137, true, death.plusMillis(20)));
        assertThat(memo().cause).contains("out of memory");
    }

    /** Without wish nothing is touched, whatever runs. */
    @Test
    void withoutAWishNothingIsTouched() {
        var fresh = new Reconciler(new Random(1));
        fresh.daemon(true);
        fresh.listed(fresh.listBegins(), List.of(seen(Phase.RUNNING, null)), T0);
        assertThat(fresh.turn(T0).steps()).isEmpty();
    }

    /** What is remembered is read back as it was written. */
    @Test
    void memoryIsReadBack() {
        dies(T0.plusSeconds(1));
        String text = MemoryText.ofMemos("b", reconciler.memos());
        assertThat(MemoryText.ofMemos("b", MemoryText.memos(text, "b"))).isEqualTo(text);
        Wish back = MemoryText.wish(MemoryText.ofWish(wish));
        assertThat(back.specs()).isEqualTo(wish.specs());
        assertThat(back.running()).isTrue();
    }
}
