package dev.berth.agent;

import dev.berth.model.DiskCid;
import java.nio.file.Path;

/** As much of an agent as a test wants to kill: moves data between the disks of a folder. */
final class DiskAgentMain {
    private DiskAgentMain() {}

    public static void main(String[] args) {
        Disks disks = new LoopDisks(Path.of(args[0])).disks("ext4");
        boolean ready = disks.lookAfterAll();
        var call = new AgentCall("c", true);
        var from = new DiskCid("disk-a");
        var to = new DiskCid("disk-b");
        System.out.println(
                ready
                        + " "
                        + (args[1].equals("copy")
                                ? disks.copy(from, to, call)
                                : disks.migrate(from, to, call)));
    }
}
