package dev.berth.monitor;

import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.model.VmCid;
import dev.berth.wire.Alert;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The one decider (R7): from signals and the time to verdicts and actions, and to nothing else. A
 * signal only says "look sooner"; {@link #look} decides from all that is known of an instance.
 *
 * <p>What it goes by: the cloud's word that a VM is gone or off is ground for a repair at once.
 * Silence is, when it has lasted, the VM is there, the agent was heard before (or had the time to
 * come back after a start), and others are still heard: when nobody is, the bus is at fault, not
 * the fleet. After a start, and when the bus was away, silence counts only when agents have stopped
 * finding back: ten thousand of them need half a minute, three a second.
 *
 * <p>Cost: constant for a heartbeat, logarithmic for a deadline; nothing sweeps. Not thread-safe:
 * one owner.
 */
public final class Judge {
    private record Due(Instant at, @Nullable InstanceId instance, String deployment) {}

    private final JudgeSettings settings;
    private final Alarms alarms = new Alarms();
    private final Strangers strangers;
    private final Zones zones;
    private final Watchlist watched;
    private final PriorityQueue<Due> queue = new PriorityQueue<>(Comparator.comparing(Due::at));

    /** Messages get lost: one unanswered proves nothing. */
    private static final int PINGS = 2;

    /** Deployments whose repairs are decided on anew, once all that a signal brings is judged. */
    private final Set<Releases> touched = new LinkedHashSet<>();

    private boolean resurrection = true;
    private boolean busUp = true;
    private boolean busLost;
    private Instant now = Instant.MIN;

    /** Since when agents can be heard: since the start, or since the bus came back. */
    private Instant listeningSince = Instant.MIN;

    /** When the last one was heard for the first time since then. */
    private Instant returnedAt = Instant.MIN;

    private Instant countedAt = Instant.MIN;
    private boolean mostAreHeard;
    private List<Action> out = new ArrayList<>();

    public Judge(JudgeSettings settings) {
        this.settings = settings;
        strangers = new Strangers(settings.rogueAfter(), alarms);
        zones = new Zones(settings, alarms);
        watched = new Watchlist(settings, alarms, strangers, zones);
    }

    /** Takes a signal; a clock that jumps back stands still. */
    public List<Action> on(Signal signal, Instant at) {
        if (now.equals(Instant.MIN)) {
            listeningSince = at;
        }
        now = at.isBefore(now) ? now : at;
        out = new ArrayList<>();
        take(signal);
        while (!queue.isEmpty() && !queue.element().at.isAfter(now)) {
            wake(queue.remove());
        }
        strangers.pass(now, out);
        touched.forEach(this::release);
        touched.clear();
        return out;
    }

    /** When a {@link Signal.Tick} is due; null: nothing is waited for. */
    public @Nullable Instant nextWake() {
        Instant due = queue.isEmpty() ? null : queue.element().at;
        Instant forget = strangers.nextWake();
        return due == null || forget != null && forget.isBefore(due) ? forget : due;
    }

    /** Null: not known. */
    public @Nullable Verdict verdict(InstanceId instance) {
        Watched w = watched.of(instance);
        return w == null ? null : w.verdict;
    }

    /** Of an agent, whether it belongs to an instance or not; null: never heard of. */
    public @Nullable Verdict verdict(AgentId agent) {
        Watched w = watched.of(agent);
        return w == null ? strangers.verdict(agent) : w.verdict;
    }

    /**
     * Why an instance that should be repaired is not, in a sentence; empty: nothing is waited for.
     */
    public String waitingFor(InstanceId instance) {
        Watched w = watched.of(instance);
        return w == null ? "" : w.waiting;
    }

    /** What a judge that comes after this one should be told. */
    public List<Memory> memories() {
        return watched.memories(now);
    }

    private void take(Signal signal) {
        switch (signal) {
            case Signal.Beat s -> beat(s);
            case Signal.Connected s -> connected(s.agent());
            case Signal.Disconnected s -> disconnected(s.agent());
            case Signal.ShutdownNotice s -> disconnected(s.agent());
            case Signal.AgentAlert s -> forward(s);
            case Signal.Found s -> found(s);
            case Signal.FleetKnown s -> fleet(s.fleet());
            case Signal.RepairEnded s -> repairEnded(s);
            case Signal.RepairGoesOn s ->
                    s.instances()
                            .forEach(id -> {
                                Watched w = watched.of(id);
                                if (w == null) {
                                    watched.underRepair(id);
                                } else {
                                    watched.deploymentOf(w).goesOn(w);
                                    look(w);
                                }
                            });
            case Signal.Recalled s -> watched.recall(s.memories());
            case Signal.Resurrection s -> {
                resurrection = s.on();
                touched.addAll(watched.deployments());
            }
            case Signal.Bus s -> bus(s.up());
            case Signal.Absent s -> listeningSince = now;
            case Signal.Tick s -> {}
        }
    }

    // --- what is heard

    private void beat(Signal.Beat beat) {
        Watched w = watched.of(beat.agent());
        if (w == null) {
            strangers.heard(beat.agent(), now, out);
            return;
        }
        if (w.isLate(now)) {
            w.heardLate(now); // it was there a moment ago; whether it still is will be asked
            look(w);
            return;
        }
        boolean news = !w.isHeard(now) || !beat.report().equals(w.report) || w.evidence != null;
        w.report = beat.report();
        heard(w);
        if (news) {
            look(w);
        }
    }

    private void connected(AgentId agent) {
        Watched w = watched.of(agent);
        if (w == null) {
            strangers.heard(agent, now, out);
            return;
        }
        heard(w);
        look(w);
    }

    private void heard(Watched w) {
        boolean returns = w.heardAt == null || w.heardAt.isBefore(listeningSince);
        // Bounded, as one that finds back every few seconds would keep all others unjudged.
        if (returns && now.isBefore(listeningSince.plus(settings.startGrace()))) {
            returnedAt = now;
        }
        w.heard(now);
        zones.heard(w, now, out);
        if (busLost && busUp) {
            busLost = false;
            listeningSince = now;
            alarms.resolve(out, "bus");
        }
    }

    private void disconnected(AgentId agent) {
        Watched w = watched.of(agent);
        if (w == null) {
            strangers.lost(agent);
        } else if (w.lostAt == null) {
            w.lostAt = now;
            w.askAt = now.plus(settings.disconnectDebounce());
            look(w);
        }
    }

    private void forward(Signal.AgentAlert signal) {
        Alert a = signal.alert();
        Watched w = watched.of(signal.agent());
        String source = "agent " + signal.agent() + " []";
        if (w != null) {
            source =
                    w.member.deployment()
                            + ": "
                            + w.member.group()
                            + "("
                            + w.member.instance()
                            + ") [id="
                            + signal.agent()
                            + ", cid="
                            + w.member.vm()
                            + "]";
        }
        String deployment =
                a.deployment() != null || w == null ? a.deployment() : w.member.deployment();
        out.add(
                new Action.ForwardAlert(
                        new Alert(
                                a.id(),
                                a.severity(),
                                a.title(),
                                a.summary(),
                                a.createdAt(),
                                a.source() == null ? source : a.source(),
                                deployment,
                                a.category())));
    }

    private void found(Signal.Found found) {
        Watched w = watched.of(found.vm());
        if (w == null) {
            return;
        }
        w.askedAt = null;
        // A cloud is not asked about the whole fleet every few seconds because the bus is down.
        w.askAt = now.plus(settings.askAgain().multipliedBy(busLost || !busUp ? 6 : 1));
        if (found.evidence() == Evidence.ANSWERS) {
            heard(w);
        } else if (w.evidence == null || !w.evidence.isDecisive()) {
            w.evidence = found.evidence();
            w.evidenceReason = found.reason();
            w.unanswered = found.evidence() == Evidence.REFUSED ? 0 : w.unanswered + 1;
            if (w.lostAt != null && now.isBefore(w.lostAt.plus(settings.reconnectGrace()))) {
                // A cloud that is still taking the VM down says for a moment that it is there.
                w.askAt = now.plus(settings.reconnectGrace().dividedBy(4));
            }
        }
        look(w);
    }

    private void bus(boolean up) {
        if (busUp && !up) {
            loseBus("The director has lost the bus.");
        } else if (!busUp && up) {
            busLost = false;
            listeningSince = now;
            alarms.resolve(out, "bus");
        }
        busUp = up;
    }

    private void loseBus(String why) {
        busLost = true;
        alarms.raise(
                out,
                "bus",
                1,
                "Nobody is heard on the bus any more",
                why
                        + " Containers run on. VMs are repaired only where the cloud says that they"
                        + " are gone.",
                null);
    }

    // --- the fleet

    private void fleet(Fleet fleet) {
        List<Watched> changed = watched.follow(fleet, now, out);
        changed.forEach(this::judge);
        touched.addAll(watched.deployments());
        strangers.spares(fleet.spares(), out);
        strangers.forgetQuiet(now, out);
        watched.forgetEmptyDeployments();
    }

    private void repairEnded(Signal.RepairEnded ended) {
        Releases releases = watched.deployment(ended.deployment());
        for (InstanceId id : ended.instances()) {
            watched.repairedUnseen(id);
            Watched w = watched.of(id);
            if (!releases.ended(id) || w == null) {
                continue;
            }
            w.repairing = false;
            w.helped = ended.succeeded();
            if (w.helped && (w.broughtBack || w.isHeard(now))) {
                w.recovered(); // if it is down again, then of another trouble
                judge(w);
                continue;
            }
            w.repairs++;
            w.notBefore = now.plus(settings.backoff(w.repairs));
            if (w.helped) {
                w.forget(now);
            } else {
                out.add(
                        new Action.Wait(
                                w.member.text(),
                                "its repair failed: "
                                        + ended.how()
                                        + "; the next not before "
                                        + w.notBefore));
            }
            judge(w);
        }
        touched.addAll(watched.deployments()); // others may have waited for this one's end
        touched.add(releases);
    }

    // --- the look

    private void wake(Due due) {
        if (due.instance == null) {
            Releases releases = watched.deployment(due.deployment);
            if (due.at.equals(releases.wakeAt)) {
                releases.wakeAt = null;
                touched.add(releases);
            }
            return;
        }
        Watched w = watched.of(due.instance);
        if (w != null && due.at.equals(w.wakeAt)) {
            w.wakeAt = null;
            look(w);
        }
    }

    private void look(Watched w) {
        judge(w);
        touched.add(watched.deploymentOf(w));
    }

    private void judge(Watched w) {
        w.need = null;
        Instant next = decide(w);
        if (w.verdict instanceof Verdict.Well || w.verdict instanceof Verdict.Degraded) {
            w.waiting = "";
        }
        Releases releases = watched.deploymentOf(w);
        if (w.repairing && w.verdict instanceof Verdict.Well) {
            w.broughtBack = true;
        }
        releases.noted(w, now);
        zones.noted(w, releases.isBusy(), now, out);
        if (next != null && (w.wakeAt == null || next.isBefore(w.wakeAt))) {
            w.wakeAt = next;
            queue.add(new Due(next, w.member.instance(), ""));
        }
    }

    private void release(Releases releases) {
        Instant next = releases.release(resurrection, this::doubt, now, out);
        if (next != null && (releases.wakeAt == null || next.isBefore(releases.wakeAt))) {
            releases.wakeAt = next;
            queue.add(new Due(next, null, releases.deployment()));
        }
    }

    /** Sets verdict and need; returns when to look again. */
    private @Nullable Instant decide(Watched w) {
        Fleet.Member m = w.member;
        if (m.vm() == null || m.agent() == null) {
            String held = m.heldBecause();
            if (held != null) {
                hold(w, held);
            } else {
                gone(w, "it has no VM");
            }
            return null;
        }
        if (w.evidence != null && w.evidence.isDecisive()) {
            return goneByEvidence(w);
        }
        if (!w.isSuspect(now, backAt(w))) {
            return w.heardAt == null ? unheard(w) : alive(w);
        }
        return silent(w, m.agent(), m.vm());
    }

    private Instant unheard(Watched w) {
        w.verdict = verdictUnlessHeld(w, new Verdict.Silent(w.knownSince));
        return w.silentSince(backAt(w)).plus(settings.suspectAfter());
    }

    private Instant alive(Watched w) {
        Instant next =
                w.lostAt != null
                        ? w.lostAt.plus(settings.disconnectDebounce())
                        : w.silentSince(backAt(w)).plus(settings.suspectAfter());
        String trouble = w.trouble();
        if (trouble == null) {
            w.degradedSince = null;
            if (!(w.verdict instanceof Verdict.Well)) {
                w.wellSince = now;
            }
            w.verdict = verdictUnlessHeld(w, new Verdict.Well());
            if (!w.repairing) {
                alarms.resolve(out, w.alarm());
            }
            return next;
        }
        unwell(w);
        w.verdict = verdictUnlessHeld(w, new Verdict.Degraded(trouble));
        w.degradedSince = w.degradedSince == null ? now : w.degradedSince;
        Instant tell =
                w.degradedSince.plus(
                        w.report == Report.NONE || w.report.jobState().equals("starting")
                                ? settings.startGrace()
                                : settings.degradedAfter());
        if (now.isBefore(tell)) {
            return tell.isBefore(next) ? tell : next;
        }
        alarm(w, 3, w.member.text() + ": " + trouble, "Its agent answers; no repair is needed.");
        return next;
    }

    private @Nullable Instant goneByEvidence(Watched w) {
        boolean stopped = w.evidence == Evidence.STOPPED;
        String vm = "VM " + w.member.vm();
        String reason = stopped ? vm + " is switched off" : "the cloud says " + vm + " is gone";
        // After a start: a cloud that comes up with us may be starting it. Not for long, for many
        // clouds never do, and starting what is being started does no harm.
        Instant graceEnds = w.knownSince.plus(settings.suspectAfter()).plus(settings.askAgain());
        if (stopped && w.heardAt == null && now.isBefore(graceEnds)) {
            w.verdict = verdictUnlessHeld(w, new Verdict.Gone(reason));
            Releases.wait(w, reason + ", which may be on its way up until " + graceEnds, out);
            w.evidence = null; // asked again until then
            w.askAt = now.plus(settings.askAgain());
            return w.askAt;
        }
        gone(w, reason);
        return null;
    }

    private void gone(Watched w, String reason) {
        unwell(w);
        String held = w.member.heldBecause();
        w.verdict = verdictUnlessHeld(w, new Verdict.Gone(reason));
        w.need = held == null ? reason : null;
        w.needBySilence = false;
        tellDown(w, w.member.text() + ": " + reason, held);
    }

    private @Nullable Instant silent(Watched w, AgentId agent, VmCid vm) {
        unwell(w);
        Instant since = w.silentSince(backAt(w));
        w.verdict = verdictUnlessHeld(w, new Verdict.Silent(since));
        Instant next = ask(w, agent, vm);
        if (w.evidence == Evidence.REFUSED) {
            lockedOut(w);
            return next;
        }
        Instant limit = since.plus(w.patience(w.heardAt == null && mostAreHeard()));
        if (now.isBefore(limit)) {
            return limit.isBefore(next) ? limit : next;
        }
        String doubt = doubt(w);
        if (doubt != null) {
            Releases.wait(w, doubt, out);
            return next;
        }
        String held = w.member.heldBecause();
        String seconds = Duration.between(since, now).toSeconds() + " s";
        if (w.evidence == Evidence.PRESENT && w.unanswered < PINGS) {
            Releases.wait(w, "it is asked once more", out);
        } else if (w.evidence == Evidence.PRESENT) {
            w.need =
                    held == null
                            ? "its agent is silent for " + seconds + ", the VM is there"
                            : null;
            w.needBySilence = true;
            tellDown(w, w.member.text() + " has timed out", held);
        } else {
            tellDown(w, w.member.text() + " has timed out", held);
            Releases.wait(
                    w,
                    w.evidence == null
                            ? "the cloud has not answered yet"
                            : "the cloud cannot say what became of the VM: " + w.evidenceReason,
                    out);
        }
        return next;
    }

    /** What runs there runs on: another VM would end it, and its agent might fare no better. */
    private void lockedOut(Watched w) {
        w.verdict = verdictUnlessHeld(w, new Verdict.LockedOut(w.evidenceReason));
        if (w.member.heldBecause() != null && !w.member.ignored()) {
            alarms.resolve(out, w.alarm());
            return;
        }
        Releases.wait(w, "its agent lives and is locked out of the bus", out);
        alarm(
                w,
                2,
                w.member.text() + ": its agent is locked out of the bus",
                "From its VM: "
                        + w.evidenceReason
                        + ". Its containers run on, and its VM is not replaced. See whether the"
                        + " clock of VM "
                        + w.member.vm()
                        + " is right; an agent whose certificate has ended gets another with another"
                        + " VM, which keeps its disks: berth recreate --fix.");
    }

    /** Asks when it is time to; returns when to look again. */
    private Instant ask(Watched w, AgentId agent, VmCid vm) {
        if (w.askedAt != null && now.isBefore(w.askedAt.plus(settings.askPatience()))) {
            return w.askedAt.plus(settings.askPatience());
        }
        if (w.askAt != null && now.isBefore(w.askAt)) {
            return w.askAt;
        }
        w.askedAt = now;
        out.add(new Action.AskEvidence(agent, vm));
        return now.plus(settings.askPatience());
    }

    private void hold(Watched w, String reason) {
        w.verdict = new Verdict.Held(reason);
        alarms.resolve(out, w.alarm());
    }

    private static Verdict verdictUnlessHeld(Watched w, Verdict verdict) {
        String held = w.member.heldBecause();
        return held == null ? verdict : new Verdict.Held(held);
    }

    /** A time of health long enough makes former repairs count no more. */
    private void unwell(Watched w) {
        if (w.wellSince != null && !now.isBefore(w.wellSince.plus(settings.stableAfter()))) {
            w.repairs = 0;
            w.notBefore = null;
        }
        w.wellSince = null;
    }

    /** A person's stop needs no alert; an ignored instance gets one, and no repair. */
    private void tellDown(Watched w, String title, @Nullable String held) {
        if (held != null && !w.member.ignored()) {
            alarms.resolve(out, w.alarm());
            return;
        }
        if (held != null) {
            Releases.wait(w, held, out);
        }
        String hindered =
                held != null
                        ? held
                        : resurrection ? w.member.barred() : "resurrection is switched off";
        alarm(
                w,
                2,
                title,
                hindered == null ? "It will be repaired." : "Not repaired: " + hindered + ".");
    }

    /** Nothing is told while a task changes the deployment: it is intended. */
    private void alarm(Watched w, int severity, String title, String summary) {
        if (!watched.deploymentOf(w).isBusy() && !(w.repairing && severity > 2)) {
            alarms.raise(out, w.alarm(), severity, title, summary, w.member.deployment());
        }
    }

    private @Nullable String doubt(Watched w) {
        if (isBusLost()) {
            return Releases.BUS_LOST;
        }
        return zones.isCut(w, now, out) ? Zones.cutOff(w) : null;
    }

    private Instant backAt(Watched w) {
        return zones.backAt(w, returnedAt.isAfter(listeningSince) ? returnedAt : listeningSince);
    }

    /** Counted once for all that are judged at about the same time. */
    private boolean mostAreHeard() {
        if (!now.isBefore(countedAt.plus(settings.disconnectDebounce()))) {
            countedAt = now;
            int heard = 0;
            int all = 0;
            for (Watched w : watched.withAgents()) {
                all++;
                heard += w.isHeard(now) ? 1 : 0;
            }
            mostAreHeard = heard * 2 >= all;
        }
        return mostAreHeard;
    }

    /**
     * When nobody is heard any more of those who could be, the bus or the director is cut off. Of
     * few agents that cannot be told: the director's own connection is all there is to go by.
     */
    private boolean isBusLost() {
        if (!busUp || busLost) {
            return true;
        }
        int speakers = 0;
        for (Watched w : watched.withAgents()) {
            if (w.isHeard(now)) {
                return false;
            }
            speakers += w.evidence != null && w.evidence.isDecisive() ? 0 : 1;
        }
        if (speakers >= Zones.FEWEST_CUT) {
            loseBus("None of " + speakers + " agents is heard.");
        }
        return busLost;
    }
}
