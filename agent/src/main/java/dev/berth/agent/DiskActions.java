package dev.berth.agent;

import static dev.berth.agent.Action.background;
import static dev.berth.agent.Action.cancellableAside;
import static dev.berth.agent.Action.look;

import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import java.util.List;
import java.util.Map;

/** Persistent disks on the wire. */
final class DiskActions {
    private final Disks disks;
    private final Heart heart;

    DiskActions(Disks disks, Heart heart) {
        this.disks = disks;
        this.heart = heart;
    }

    List<Action> all() {
        return List.of(
                look("disk_report", 0, (a, call) -> Json.of("disks", disks.report().all())),
                background("list_disk", 0, (a, call) -> disks.list()),
                background(
                        "add_persistent_disk",
                        2,
                        (a, call) -> disks.add(cid(a), hint(a), options(a))),
                background("remove_persistent_disk", 1, (a, call) -> disks.remove(cid(a))),
                background("mount_disk", 1, (a, call) -> then(disks.mount(cid(a), revived(a)))),
                background("unmount_disk", 1, (a, call) -> then(disks.unmount(cid(a)))),
                background("migrate_disk", 0, (a, call) -> then(migrate(a, call))),
                // Beside the others: it may take hours, and what it writes to is live for nobody.
                cancellableAside("copy_disk", 2, (a, call) -> disks.copy(cid(a), to(a), call)),
                background("grow_disk", 1, (a, call) -> then(disks.grow(cid(a)))));
    }

    private Map<String, Object> migrate(Arguments a, AgentCall call) {
        return a.values().isEmpty() ? disks.migrate(call) : disks.migrate(cid(a), to(a), call);
    }

    private static DiskOptions options(Arguments a) {
        return DiskOptions.fromTree(a.object(2, "disk options"));
    }

    /** A person's decision, never a director's own. */
    private static boolean revived(Arguments a) {
        return a.object(1, "mount options").flag("revive", false);
    }

    private static DiskCid to(Arguments a) {
        if (a.string(1).isBlank()) {
            throw new ActionException("the id of the disk to copy to is empty");
        }
        return new DiskCid(a.string(1));
    }

    private static DiskCid cid(Arguments a) {
        if (a.string(0).isBlank()) {
            throw new ActionException("the disk id is empty");
        }
        return new DiskCid(a.string(0));
    }

    private static Object hint(Arguments a) {
        return switch (a.at(1)) {
            case String path -> path;
            case Map<?, ?> map -> map;
            case null -> throw new ActionException("the disk hint is missing");
            default -> throw new ActionException("the disk hint should be a string or an object");
        };
    }

    private Map<String, Object> then(Map<String, Object> value) {
        heart.beatSoon();
        return value;
    }
}
