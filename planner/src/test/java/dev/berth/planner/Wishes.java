package dev.berth.planner;

import dev.berth.model.InstanceId;
import dev.berth.model.MigratedFrom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Deployments to plan for: one by hand to vary, and random ones. */
final class Wishes {
    static final Plan.WatchTime WATCH = new Plan.WatchTime(100, 10_000);

    private Wishes() {}

    static IdSource ids(String prefix) {
        var count = new int[1];
        return () -> new InstanceId(prefix + String.format("%05d", ++count[0]));
    }

    static Desired.Network network(String name, int third) {
        return new Desired.Network(
                name,
                List.of(
                        new Desired.Subnet(
                                "10.0." + third + ".0/24",
                                "10.0." + third + ".1",
                                List.of("10.0." + third + ".1"),
                                List.of("10.0." + third + ".2 - 10.0." + third + ".9"),
                                List.of("10.0." + third + ".200-10.0." + third + ".210"),
                                List.of(),
                                Map.of())));
    }

    static Desired.VmWish vm(String stemcell, int cpu) {
        return new Desired.VmWish(
                "docker", stemcell, "sc-" + stemcell, 3, Map.of("cpu", cpu, "kind", "small"));
    }

    static Desired.Group group(String name, int instances, @Nullable Long disk, String hash) {
        return new Desired.Group(
                name,
                instances,
                List.of(),
                Map.of("", vm("deb/1", 1)),
                Map.of(),
                List.of(new Desired.NetworkUse(network("default", 0), List.of(), List.of())),
                disk == null ? List.of() : List.of(new Desired.DiskWish(disk, Map.of(), "")),
                List.of(),
                hash,
                update(true),
                null,
                Map.of());
    }

    static Desired.Update update(boolean serial) {
        return new Desired.Update(
                new Desired.Share(1, false),
                new Desired.Share(50, true),
                WATCH,
                WATCH,
                serial,
                false);
    }

    static Desired of(Desired.Group... groups) {
        return new Desired("shop", List.of(groups), Map.of());
    }

    static Desired.Group withState(Desired.Group g, @Nullable String state) {
        return new Desired.Group(
                g.name(),
                g.instances(),
                g.azs(),
                g.vms(),
                g.env(),
                g.networks(),
                g.disks(),
                g.migratedFrom(),
                g.configurationHash(),
                g.update(),
                state,
                g.instanceStates());
    }

    static Desired.Group withVm(Desired.Group g, Desired.VmWish vm, Map<String, Object> env) {
        return new Desired.Group(
                g.name(),
                g.instances(),
                g.azs(),
                Map.of("", vm),
                env,
                g.networks(),
                g.disks(),
                g.migratedFrom(),
                g.configurationHash(),
                g.update(),
                g.state(),
                g.instanceStates());
    }

    static Desired.Group withNetworks(
            Desired.Group g, List<String> azs, List<Desired.NetworkUse> networks) {
        var vms = new HashMap<String, Desired.VmWish>();
        vms.put("", vm("deb/1", 1));
        azs.forEach(az -> vms.put(az, vm("deb/1", 1)));
        return new Desired.Group(
                g.name(),
                g.instances(),
                azs,
                vms,
                g.env(),
                networks,
                g.disks(),
                g.migratedFrom(),
                g.configurationHash(),
                g.update(),
                g.state(),
                g.instanceStates());
    }

    static Desired random(Random random) {
        var names = List.of("db", "web", "jobs");
        var groups =
                names.stream()
                        .filter(n -> random.nextInt(5) > 0)
                        .map(n -> randomGroup(n, random))
                        .toList();
        return new Desired(
                "shop",
                groups.stream().map(g -> takingOver(g, groups, random)).toList(),
                Map.of("team", "t" + random.nextInt(2)));
    }

    private static Desired.Group randomGroup(String name, Random random) {
        List<String> azs =
                pick(random, List.<List<String>>of(List.of(), List.of("z1"), List.of("z1", "z2")));
        var vms = new HashMap<String, Desired.VmWish>();
        Desired.VmWish vm = vm("deb/" + random.nextInt(2), random.nextInt(2));
        vms.put("", vm);
        azs.forEach(az -> vms.put(az, vm));
        int instances = random.nextInt(4);
        var uses =
                List.of(
                        new Desired.NetworkUse(
                                network(pick(random, List.of("default", "renamed")), 0),
                                name.equals("db") && random.nextBoolean()
                                        ? List.of("10.0.0.200", "10.0.0.201", "10.0.0.202")
                                                .subList(0, instances)
                                        : List.of(),
                                List.of("dns", "gateway")));
        return new Desired.Group(
                name,
                instances,
                azs,
                vms,
                random.nextInt(4) == 0 ? Map.of("bosh", Map.of("swap_size", 0)) : Map.of(),
                uses,
                disks(random),
                List.of(),
                "hash-" + random.nextInt(3),
                update(random.nextBoolean()),
                random.nextInt(3) > 0
                        ? null
                        : pick(
                                random,
                                List.of("started", "stopped", "detached", "restart", "recreate")),
                Map.of());
    }

    /** The group 'jobs' may be the 'web' of before, where that is no longer wished. */
    private static Desired.Group takingOver(
            Desired.Group g, List<Desired.Group> groups, Random random) {
        boolean free = groups.stream().noneMatch(other -> other.name().equals("web"));
        if (!free || !g.name().equals("jobs") || random.nextBoolean()) {
            return g;
        }
        String az = g.azs().isEmpty() ? null : g.azs().getFirst();
        return new Desired.Group(
                g.name(),
                g.instances(),
                g.azs(),
                g.vms(),
                g.env(),
                g.networks(),
                g.disks(),
                List.of(new MigratedFrom("web", random.nextBoolean() ? az : null)),
                g.configurationHash(),
                g.update(),
                g.state(),
                g.instanceStates());
    }

    private static List<Desired.DiskWish> disks(Random random) {
        return Stream.of("", "logs", "block")
                .filter(name -> random.nextInt(name.isEmpty() ? 3 : 4) > 1)
                .map(name -> disk(random, name))
                .toList();
    }

    private static Desired.DiskWish disk(Random random, String name) {
        boolean raw = name.equals("block");
        return new Desired.DiskWish(
                name,
                100 + random.nextInt(3) * 100L,
                raw || random.nextInt(4) > 0 ? Map.of() : Map.of("kind", "fast"),
                "type-" + random.nextInt(3),
                random.nextInt(3) > 0 ? "ext4" : "xfs",
                random.nextBoolean(),
                raw || random.nextInt(3) > 0 ? List.of() : List.of("noatime"),
                raw,
                0);
    }

    static <T> T pick(Random random, List<T> from) {
        return from.get(random.nextInt(from.size()));
    }
}
