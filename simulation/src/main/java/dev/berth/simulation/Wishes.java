package dev.berth.simulation;

import dev.berth.simulation.Wish.Container;
import dev.berth.simulation.Wish.Group;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Deployments made by chance, and changes of them with what each change may stop. */
final class Wishes {
    private Wishes() {}

    static Wish random(Random random, String name) {
        var groups = new ArrayList<Group>();
        groups.add(
                new Group(
                        "db",
                        1 + random.nextInt(3),
                        List.of("z1", "z2"),
                        "small",
                        1024,
                        1 + random.nextInt(2),
                        List.of(
                                new Container("store", 1, true, List.of()),
                                new Container("writer", 1, false, List.of("store")),
                                new Container("metrics", 1, false, List.of()))));
        if (random.nextInt(3) > 0) {
            groups.add(web(random));
        }
        return new Wish(name, "1", "a", groups);
    }

    private static Group web(Random random) {
        return new Group(
                "web",
                1 + random.nextInt(4),
                List.of("z1"),
                "small",
                512 * random.nextInt(2),
                2,
                List.of(new Container("front", 1, false, List.of())));
    }

    /** One change; what it may stop is told to the rules first. */
    static Wish changed(Random random, Wish was, Rules rules) {
        Group group = was.groups().get(random.nextInt(was.groups().size()));
        return switch (random.nextInt(9)) {
            case 0 -> was.with(group.instances(1 + random.nextInt(4))); // judged when all is quiet
            case 1, 2, 3 -> containerChanged(random, was, group, rules);
            case 4 -> diskChanged(was, group, rules);
            case 5 -> {
                rules.mayStopGroup(was.name(), group.name());
                yield was.with(group.vmType(group.vmType().equals("small") ? "large" : "small"));
            }
            case 6 -> {
                rules.mayStop(was.name());
                yield was.stemcell(was.stemcell().equals("1") ? "2" : "1");
            }
            case 7 -> was.tag(was.tag() + "a");
            default -> groupComesOrGoes(random, was, rules);
        };
    }

    /** Data stays and gets more room; what has no data gets a disk, or loses it. */
    private static Wish diskChanged(Wish was, Group group, Rules rules) {
        boolean data = group.containers().stream().anyMatch(Container::data);
        if (data) {
            rules.mayStopToGrow(was.name(), group.name());
            return was.with(group.diskMb(group.diskMb() + 512));
        }
        if (group.diskMb() > 0) {
            rules.mayStopGroup(was.name(), group.name());
            return was.with(group.diskMb(0));
        }
        return was.with(group.diskMb(512));
    }

    private static Wish containerChanged(Random random, Wish was, Group group, Rules rules) {
        Container container = group.containers().get(random.nextInt(group.containers().size()));
        Wish.withDependents(group, container.name())
                .forEach(name -> rules.mayStopContainer(was.name(), group.name(), name));
        return was.with(
                group.containers(
                        group.containers().stream()
                                .map(c -> c.equals(container) ? c.next() : c)
                                .toList()));
    }

    private static Wish groupComesOrGoes(Random random, Wish was, Rules rules) {
        var groups = new ArrayList<>(was.groups());
        if (!groups.removeIf(g -> g.name().equals("web"))) {
            // One of that name may run still: when it went and came without a deploy between.
            rules.mayStopGroup(was.name(), "web");
            groups.add(web(random));
        }
        return was.groups(groups);
    }
}
