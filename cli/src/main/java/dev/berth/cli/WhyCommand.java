package dev.berth.cli;

import dev.berth.model.Fields;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** What is wished and what is observed of one instance, side by side, and what it waits for. */
@Command(
        name = "why",
        description = "Why an instance is as it is: wished, observed, and waiting for what.")
final class WhyCommand extends DirectorCommand {
    private static final Map<Long, String> SIGNALS =
            Map.of(
                    129L, "SIGHUP", 130L, "SIGINT", 131L, "SIGQUIT", 134L, "SIGABRT", 135L,
                    "SIGBUS", 137L, "SIGKILL", 139L, "SIGSEGV", 141L, "SIGPIPE", 143L, "SIGTERM");

    @Parameters(
            index = "0",
            paramLabel = "INSTANCE[/CONTAINER]",
            description = "db/0, db/ID, or db where it has one instance; db/0/postgres.")
    String which = "";

    @Override
    void run(Main main, Api api, Screen screen) {
        Inside inside = Inside.of(api, main.requiredDeployment(), which);
        String query =
                inside.container() == null
                        ? ""
                        : "?container=" + ChangeCommands.encoded(inside.requiredContainer());
        show(
                screen,
                Fields.of(api.object(inside.path() + "/why" + query), "answer"),
                Instant.now());
    }

    static void show(Screen screen, Fields why, Instant now) {
        var rows = new ArrayList<List<@Nullable String>>();
        rows.add(instance(why));
        rows.add(vm(why, now));
        why.objects("disks").forEach(d -> rows.add(disk(d)));
        why.objects("containers").forEach(c -> rows.add(container(c, now)));
        screen.table("parts", List.of("Part", "Wished", "Observed", "Why"), rows);
        String error = why.string("agent_error", "");
        if (!error.isEmpty()) {
            screen.note("");
            screen.line(
                    why.string("told_by").equals("heartbeat")
                            ? "The agent did not answer; this is what it told last: " + error
                            : "Nothing is known from inside the VM: " + error);
        }
        for (Fields container : why.objects("containers")) {
            more(screen, container);
        }
    }

    private static List<@Nullable String> instance(Fields why) {
        String wished = why.string("state") + (why.flag("ignore", false) ? ", ignored" : "");
        var reasons = new ArrayList<String>();
        reasons.add("the judge: " + why.string("verdict", ""));
        add(reasons, "waits: ", why.string("waiting_for", ""));
        healing(why.object("healing"), reasons);
        if (!why.flag("resurrection", true)) {
            reasons.add("resurrection is off");
        }
        if (!why.flag("update_completed", true)) {
            reasons.add("its last update did not complete");
        }
        return row(
                "instance " + why.string("instance"),
                wished,
                why.string("job_state", "unknown"),
                String.join("\n", reasons));
    }

    /** The rung of the ladder; of what is well and was never healed nothing. */
    private static void healing(Fields healing, List<String> reasons) {
        List<Fields> tried = healing.objects("tried");
        String next = healing.string("next", "");
        if (!next.isEmpty()) {
            add(reasons, "healing: ", healing.string("now", ""));
            add(reasons, "then: ", next);
        }
        for (Fields step : tried) {
            Long task = step.optionalInteger("task");
            reasons.add(
                    "tried "
                            + step.string("at")
                            + ": "
                            + step.string("step")
                            + (task == null ? "" : " (task " + task + ")")
                            + ", for "
                            + step.string("reason"));
        }
    }

    private static List<@Nullable String> vm(Fields why, Instant now) {
        if (!why.has("vm")) {
            return row("vm", why.string("state").equals("detached") ? "none" : "one", "none", "");
        }
        Fields vm = why.object("vm");
        String seen = vm.string("last_seen", "");
        String heard =
                seen.isEmpty()
                        ? "its agent was not heard yet"
                        : "its agent was heard " + ago(Instant.parse(seen), now);
        return row(
                "vm",
                "one",
                vm.string("cid")
                        + (vm.flag("responsive", false) ? "" : ", its agent is silent")
                        + "\ndocker daemon "
                        + why.string("daemon", "unknown"),
                heard);
    }

    private static List<@Nullable String> disk(Fields disk) {
        String held = disk.string("attached_to", "");
        boolean raw = disk.flag("raw", false);
        String state = disk.flag("proven", false) ? "proven" : "not proven";
        return row(
                "disk " + disk.string("cid"),
                (raw ? "raw, " : "mounted, proven, ")
                        + VitalsColumns.mebibytes(disk.integer("size_mb", 0)),
                (raw ? "raw" : state)
                        + (held.isEmpty() ? ", attached to none" : ", attached to " + held),
                disk.string("reason", ""));
    }

    private static List<@Nullable String> container(Fields c, Instant now) {
        Fields wished = c.object("wished");
        Fields seen = c.object("seen");
        var reasons = new ArrayList<String>();
        add(reasons, "", seen.string("reason", ""));
        if (!seen.string("state", "").equals("done")) { // what is done was not started again
            add(reasons, "started last because: ", seen.string("cause", ""));
        }
        if (seen.integer("next_try_ms", 0) > 0) {
            reasons.add("next try " + in(Instant.ofEpochMilli(seen.integer("next_try_ms")), now));
        }
        add(reasons, "health check: ", seen.string("health_output", ""));
        if (!c.has("seen")) {
            reasons.add("nobody has told of it");
        }
        return row(
                "container " + c.string("name"),
                c.has("wished") ? wished(wished) : "not wished any more",
                c.has("seen") ? observed(wished, seen, now) : "unknown",
                String.join("\n", reasons));
    }

    private static String wished(Fields wished) {
        String image = wished.string("image", "");
        String digest = shortened(wished.string("image_digest", ""));
        return (wished.flag("stopped", false) ? "stopped by an operator" : "running")
                + (image.isEmpty() ? "\nbuilt in place" : "\n" + image)
                + (digest.isEmpty() ? "" : "\n" + digest);
    }

    private static String observed(Fields wished, Fields seen, Instant now) {
        var lines = new ArrayList<String>();
        String health = seen.string("health", "");
        long started = seen.integer("started_at_ms", 0);
        lines.add(
                seen.string("state", "unknown")
                        + (health.isEmpty() || health.equals("none") ? "" : ", " + health)
                        + (started == 0
                                ? ""
                                : ", started " + ago(Instant.ofEpochMilli(started), now)));
        lines.add(seen.integer("restarts", 0) + " restarts");
        add(lines, "", lastExit(seen, now));
        String spec = seen.string("spec_digest", "");
        if (!spec.isEmpty() && !spec.equals(wished.string("spec_digest", spec))) {
            lines.add("made from an older spec");
        }
        return String.join("\n", lines);
    }

    /** {@code last exit 137 (SIGKILL, out of memory) 5s ago}; empty when it never ended. */
    static String lastExit(Fields seen, Instant now) {
        Long code = seen.optionalInteger("last_exit_code");
        if (code == null) {
            return "";
        }
        var notes = new ArrayList<String>();
        add(notes, "", SIGNALS.getOrDefault(code, ""));
        add(notes, "", seen.flag("last_exit_oom", false) ? "out of memory" : "");
        long at = seen.integer("last_exit_at_ms", 0);
        return "last exit "
                + code
                + (notes.isEmpty() ? "" : " (" + String.join(", ", notes) + ")")
                + (at == 0 ? "" : " " + ago(Instant.ofEpochMilli(at), now));
    }

    private static void more(Screen screen, Fields container) {
        Fields seen = container.object("seen");
        String name = container.string("name");
        lines(screen, "Last lines of " + name + ":", seen.string("last_log", ""));
        lines(
                screen,
                "Last lines of " + name + " before it ended last:",
                seen.string("exit_log", ""));
    }

    private static void lines(Screen screen, String title, String text) {
        if (!text.isBlank()) {
            screen.line("");
            screen.line(title);
            text.lines().forEach(line -> screen.line("  " + line));
        }
    }

    private static void add(List<String> list, String before, String text) {
        if (!text.isEmpty()) {
            list.add(before + text);
        }
    }

    private static String shortened(String digest) {
        String plain = digest.replace("sha256:", "");
        return plain.isEmpty() ? "" : "sha256:" + plain.substring(0, Math.min(12, plain.length()));
    }

    private static String ago(Instant then, Instant now) {
        Duration since = Duration.between(then, now);
        return since.isNegative() || since.toSeconds() == 0 ? "now" : text(since) + " ago";
    }

    private static String in(Instant then, Instant now) {
        Duration left = Duration.between(now, then);
        return left.isPositive() ? "in " + text(left.plusMillis(999)) : "now";
    }

    /** The two largest units. */
    static String text(Duration d) {
        if (d.toDays() > 0) {
            return d.toDays() + "d " + d.toHoursPart() + "h";
        }
        if (d.toHours() > 0) {
            return d.toHours() + "h " + d.toMinutesPart() + "m";
        }
        return d.toMinutes() > 0
                ? d.toMinutes() + "m " + d.toSecondsPart() + "s"
                : d.toSeconds() + "s";
    }
}
