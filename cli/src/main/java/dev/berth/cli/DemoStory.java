package dev.berth.cli;

import dev.berth.model.EnvironmentFile;
import dev.berth.model.Fields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The main job told from nothing: a shop is deployed, customers buy without a pause, and one thing
 * after another is killed. After each it says how long customers had to wait, what was restarted
 * and why, and that every sale that was ever confirmed is still there.
 */
final class DemoStory {
    private static final String DEPLOYMENT = "shop";

    private final Home home;
    private final Screen screen;
    private final Api api;
    private final EnvironmentFile file;
    private final DemoImages images;
    private final List<List<@Nullable String>> chapters = new ArrayList<>();
    private boolean allWell = true;

    DemoStory(Home home, Screen screen, Api api) {
        this.home = home;
        this.screen = screen;
        this.api = api;
        LocalEnvironment environment = new LocalEnvironment(home, screen);
        this.file = environment.file();
        this.images = new DemoImages(home, screen, environment, file);
    }

    /** True when everything that was promised held. */
    boolean tell() {
        images.ready();
        say(
                "Deploying examples/shop.yml: a database with a persistent disk, a writer beside it, two web servers");
        long began = System.nanoTime();
        long diskMb = Math.max(1024, diskMb());
        deploy(manifest(diskMb), false);
        String deployed = seconds(System.nanoTime() - began);
        try (DemoCustomers customers = new DemoCustomers(webAddresses())) {
            waitFor("the first sale", 60, () -> customers.confirmed() > 0);
            chapter("deployed from nothing", customers, deployed, List.of());
            killContainer(customers);
            killDaemon(customers);
            killVm(customers);
            growDisk(customers, diskMb);
        }
        say("What happened");
        screen.table(
                "chapters",
                List.of(
                        "What was done",
                        "Customers waited",
                        "Sales confirmed",
                        "Lost",
                        "Restarted, and why"),
                chapters);
        screen.line("");
        String berth = home.command();
        screen.line("The environment goes on. Look around:");
        screen.line("  " + berth + " instances --ps");
        screen.line("  " + berth + " containers");
        screen.line("  " + berth + " tasks --recent");
        webAddresses().forEach(web -> screen.line("  curl http://" + web + "/cgi-bin/page"));
        screen.line("Stop it: " + berth + " down; delete all of it: " + berth + " down --purge");
        return allWell;
    }

    private void killContainer(DemoCustomers customers) {
        say("Killing the database's container (kill -9)");
        Map<String, Fields> before = containers();
        customers.mark();
        inDatabaseVm("docker kill $(docker ps -q --filter label=berth.container=postgres)");
        waitFor("sales to go on", 60, customers::soldSinceMark);
        waitFor(
                "the writer to be back",
                60,
                () -> !restarted(before, containers()).isEmpty() && allUp());
        chapter("database container killed", customers, null, restarted(before, containers()));
    }

    private void killDaemon(DemoCustomers customers) {
        say("Killing the Docker daemon in the database's VM (kill -9)");
        Map<String, Fields> before = containers();
        String old = inDatabaseVm("cat /run/docker.pid").strip();
        customers.mark();
        inDatabaseVm("kill -9 " + old);
        waitFor(
                "a new daemon",
                60,
                () ->
                        tryInDatabaseVm(
                                                "pid=$(cat /run/docker.pid) && [ $pid != "
                                                        + old
                                                        + " ] && docker ps -q")
                                        .code()
                                == 0);
        waitFor("sales to go on", 60, customers::soldSinceMark);
        waitFor("all containers to be seen up", 60, this::allUp);
        chapter("Docker daemon killed", customers, null, restarted(before, containers()));
    }

    private void killVm(DemoCustomers customers) {
        String victim = databaseVm();
        say("Killing the database's VM (" + victim + "), wholly, as if its host had died");
        Map<String, Fields> before = containers();
        customers.mark();
        docker("rm", "-f", victim).orFail("killing the VM");
        waitFor(
                "a new VM with the same disk",
                180,
                () -> !victim.equals(databaseVmOrNull()) && customers.soldSinceMark());
        waitFor("all containers to be up", 120, this::allUp);
        chapter("VM killed", customers, null, restarted(before, containers()));
    }

    private void growDisk(DemoCustomers customers, long mb) {
        say(
                "Growing the disk from "
                        + VitalsColumns.mebibytes(mb)
                        + " to "
                        + VitalsColumns.mebibytes(mb + 1024)
                        + ": one number in the manifest, deployed again");
        Map<String, Fields> before = containers();
        customers.mark();
        deploy(manifest(mb + 1024), true);
        waitFor("sales to go on", 60, customers::soldSinceMark);
        String size = inDatabaseVm("df -m --output=size /var/vcap/store | tail -1").strip();
        if (Long.parseLong(size) < (mb + 1024) * 9 / 10) {
            throw new CliException(
                    "the disk was to be "
                            + (mb + 1024)
                            + " MiB and its file system has "
                            + size
                            + " MiB");
        }
        chapter("disk grown to " + size + " MiB", customers, null, restarted(before, containers()));
    }

    private void chapter(
            String what,
            DemoCustomers customers,
            @Nullable String instead,
            List<String> restarted) {
        DemoCustomers.Count count = customers.check();
        allWell &= count.lost() == 0;
        String waited = instead != null ? instead : seconds(customers.longestWaitSinceMark());
        chapters.add(
                Arrays.asList(
                        what,
                        waited,
                        String.valueOf(count.confirmed()),
                        String.valueOf(count.lost()),
                        restarted.isEmpty() ? "nothing" : String.join("\n", restarted)));
        screen.line(
                "   "
                        + count.confirmed()
                        + " sales confirmed so far, "
                        + count.lost()
                        + " lost; waited "
                        + waited
                        + "; restarted: "
                        + (restarted.isEmpty() ? "nothing" : String.join(", ", restarted)));
    }

    // --- looking

    private Map<String, Fields> containers() {
        var result = new TreeMap<String, Fields>();
        for (Object tree : api.list("/deployments/" + DEPLOYMENT + "/containers")) {
            Fields c = Fields.of(tree, "container");
            result.put(
                    c.string("instance", "").replaceAll("/.*", "")
                            + "/"
                            + c.string("instance", "").replaceAll(".*/(....).*", "$1")
                            + " "
                            + c.string("name"),
                    c);
        }
        return result;
    }

    private boolean allUp() {
        Map<String, Fields> now = containers();
        return now.size() == 4
                && now.values().stream().allMatch(c -> c.string("state", "").equals("up"));
    }

    private static List<String> restarted(Map<String, Fields> before, Map<String, Fields> after) {
        var result = new ArrayList<String>();
        after.forEach((key, now) -> {
            Fields then = before.get(key);
            if (then != null
                    && now.integer("started_at_ms", 0) > then.integer("started_at_ms", 0)) {
                result.add(now.string("name") + ": " + why(then, now));
            }
        });
        return result;
    }

    private static String why(Fields before, Fields after) {
        if (!before.string("vm_cid", "").equals(after.string("vm_cid", ""))) {
            return "new VM";
        }
        return after.string("cause", "it is wished");
    }

    private List<String> webAddresses() {
        return instances().stream()
                .filter(i -> i.string("job", "").equals("web"))
                .flatMap(i -> i.strings("ips").stream())
                .toList();
    }

    private List<Fields> instances() {
        return api.list("/deployments/" + DEPLOYMENT + "/instances").stream()
                .map(i -> Fields.of(i, "instance"))
                .toList();
    }

    /** Of the database's disk when the shop is deployed already; 0 when not. */
    private long diskMb() {
        boolean deployed =
                api.list("/deployments").stream()
                        .anyMatch(
                                d -> Fields.of(d, "deployment").string("name").equals(DEPLOYMENT));
        return !deployed
                ? 0
                : InstanceCommands.lines(
                                api,
                                screen,
                                "/deployments/" + DEPLOYMENT + "/instances?format=full")
                        .stream()
                        .flatMap(line -> line.object("disk_sizes").tree().values().stream())
                        .mapToLong(size -> Long.parseLong(String.valueOf(size)))
                        .max()
                        .orElse(0);
    }

    private @Nullable String databaseVmOrNull() {
        return instances().stream()
                .filter(i -> i.string("job", "").equals("db"))
                .map(i -> i.optionalString("cid"))
                .filter(java.util.Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    private String databaseVm() {
        String cid = databaseVmOrNull();
        if (cid == null) {
            throw new CliException("the database has no VM just now");
        }
        return cid;
    }

    // --- acting

    private void deploy(String manifest, boolean withDiff) {
        Fields diff =
                Fields.of(
                        api.post(
                                        "/deployments/" + DEPLOYMENT + "/diff?redact=true",
                                        "text/yaml",
                                        manifest)
                                .json(),
                        "diff");
        if (withDiff) {
            ChangeCommands.showDiff(screen, diff.list("diff"));
        }
        new TaskFollower(api, screen)
                .succeed(Api.taskOf(api.post("/deployments?", "text/yaml", manifest)));
    }

    /** The example, for this environment's network and with a disk of this size. */
    private String manifest(long diskMb) {
        Path example = images.examples().resolve("shop.yml");
        try {
            String base = file.gateway().substring(0, file.gateway().lastIndexOf('.'));
            return Files.readString(example)
                    .replace("((berth_network))", base)
                    .replace("persistent_disk: 1024", "persistent_disk: " + diskMb);
        } catch (IOException e) {
            throw new CliException("cannot read " + example + ": " + e.getMessage(), e);
        }
    }

    private String inDatabaseVm(String script) {
        return tryInDatabaseVm(script).orFail("'" + script + "' in the VM");
    }

    private Tools.Ran tryInDatabaseVm(String script) {
        return docker("exec", databaseVm(), "sh", "-c", script);
    }

    private Tools.Ran docker(String... words) {
        var command = new ArrayList<>(List.of("docker", "-H", file.engine()));
        command.addAll(List.of(words));
        return Tools.run(Map.of(), command, 120);
    }

    private void say(String text) {
        screen.line("");
        screen.line("== " + text);
    }

    private static String seconds(long nanos) {
        return String.format(java.util.Locale.ROOT, "%.1f s", nanos / 1e9);
    }

    private static void waitFor(String what, int seconds, BooleanSupplier condition) {
        long giveUp = System.nanoTime() + seconds * 1_000_000_000L;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > giveUp) {
                throw new CliException(
                        "waited "
                                + seconds
                                + " s in vain for "
                                + what
                                + "; see: berth tasks --recent, berth containers");
            }
            TaskFollower.sleep(100);
        }
    }
}
