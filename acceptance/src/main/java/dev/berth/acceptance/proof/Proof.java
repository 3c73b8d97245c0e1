package dev.berth.acceptance.proof;

import dev.berth.acceptance.BenchEnvironment;
import dev.berth.acceptance.BenchException;
import dev.berth.acceptance.BenchTools;
import dev.berth.model.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * {@code berth proof [--quick] [--runs N] [--only NAME,…] [--json] [--keep]}: databases are written
 * to without a pause, one fault after another strikes them, and after each every number that was
 * ever acknowledged is looked for. Exit code 0: none was lost, none is there twice, all are in
 * order. With {@code --keep} the environment stays, for a look at what is there.
 */
public final class Proof {
    private static final int MOST_RUNS = 999;

    /** A short proof strikes in the middle of a change, not at its first note in the journal. */
    private static final int QUICK_FROM = 2;

    private Proof() {}

    /**
     * @param runs 0: as each fault says
     */
    private record Wish(boolean quick, int runs, boolean json, boolean keep, List<Fault> faults) {
        int runs(Fault fault) {
            return runs > 0 ? runs : quick ? fault.quick() : fault.runs();
        }
    }

    public static void main(String[] args) throws Exception {
        Wish wish;
        try {
            wish = read(args);
        } catch (IllegalArgumentException e) {
            System.err.println("berth: " + e.getMessage());
            System.exit(2);
            return;
        }
        try {
            System.exit(run(wish) ? 0 : 1);
        } catch (BenchException e) {
            System.err.println("berth: " + e.getMessage());
            System.exit(1);
        }
    }

    private static Wish read(String[] args) {
        boolean quick = false;
        boolean json = false;
        boolean keep = false;
        int runs = 0;
        List<Fault> faults = Faults.all();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--quick" -> quick = true;
                case "--json" -> json = true;
                case "--keep" -> keep = true;
                case "--runs" -> runs = number(value(args, ++i, "--runs"));
                case "--only" -> faults = named(value(args, ++i, "--only"));
                default ->
                        throw new IllegalArgumentException(
                                "berth proof: '"
                                        + args[i]
                                        + "' is not known; berth proof [--quick] [--runs N] [--only NAME,…] [--json] [--keep]");
            }
        }
        return new Wish(quick, runs, json, keep, faults);
    }

    private static String value(String[] args, int index, String option) {
        if (index >= args.length) {
            throw new IllegalArgumentException("berth proof: " + option + " needs a value");
        }
        return args[index];
    }

    private static int number(String text) {
        if (!text.matches("[1-9]\\d{0,2}")) {
            throw new IllegalArgumentException(
                    "berth proof: --runs needs a number from 1 to " + MOST_RUNS);
        }
        return Integer.parseInt(text);
    }

    private static List<Fault> named(String names) {
        Map<String, Fault> known =
                Faults.all().stream().collect(Collectors.toMap(Fault::name, Function.identity()));
        return Arrays.stream(names.split(","))
                .map(name -> {
                    Fault fault = known.get(name);
                    if (fault == null) {
                        throw new IllegalArgumentException(
                                "berth proof: there is no fault '"
                                        + name
                                        + "', only "
                                        + Faults.all().stream()
                                                .map(Fault::name)
                                                .collect(Collectors.joining(",")));
                    }
                    return fault;
                })
                .toList();
    }

    private static boolean run(Wish wish) throws Exception {
        long begun = System.nanoTime();
        say("starting an environment for the proof");
        var lines = new ArrayList<ProofLine>();
        try (BenchEnvironment environment = BenchEnvironment.start("proof")) {
            say(
                    "deploying PostgreSQL and Redis, and a client for each that writes without a pause");
            try (Stage stage = Stage.set(environment)) {
                for (Fault fault : wish.faults()) {
                    if (wish.runs(fault) == 0) {
                        continue; // too long for a short proof
                    }
                    lines.addAll(
                            prove(stage, fault, wish.quick() ? QUICK_FROM : 0, wish.runs(fault)));
                }
            }
            if (wish.keep()) {
                environment.keep();
            }
            say(wish.keep() ? "leaving the environment" : "deleting the environment");
        }
        say("done in " + Math.round(BenchTools.secondsSince(begun)) + " s");
        if (wish.json()) {
            System.out.println(
                    Json.write(Json.of("proof", lines.stream().map(ProofLine::tree).toList())));
        } else {
            System.out.print(ProofLine.table(lines));
        }
        return lines.stream().allMatch(line -> line.worst().isClean());
    }

    /** A line for each database. */
    private static List<ProofLine> prove(Stage stage, Fault fault, int from, int runs) {
        List<ProofLine> lines =
                stage.writers().stream().map(w -> ProofLine.begin(fault, w)).toList();
        for (int round = 0; round < runs; round++) {
            say(fault.what() + ": run " + (round + 1) + (runs > 90 ? "" : " of " + runs));
            stage.writers().forEach(Writer::awaitSome);
            stage.writers().forEach(Writer::startsWaiting);
            boolean struck = fault.strike().run(stage, from + round);
            stage.awaitWell();
            List<Duration> waits = stage.writers().stream().map(Writer::longestWait).toList();
            if (!struck) {
                break;
            }
            for (int i = 0; i < lines.size(); i++) {
                lines.get(i).add(stage.writers().get(i).check(), waits.get(i));
            }
        }
        lines.forEach(line -> say(line.text())); // who breaks it off has seen this much
        return lines;
    }

    private static void say(String text) {
        System.err.println("berth: " + text);
    }
}
