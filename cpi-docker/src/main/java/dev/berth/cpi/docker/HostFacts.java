package dev.berth.cpi.docker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the engine's host allows and has, read from /proc. */
final class HostFacts {
    /**
     * What a VM gets beyond Docker's default set, with the numbers of linux/capability.h: mounts,
     * networks, device nodes, and an inner engine. SYS_RESOURCE lets ext4 grow while mounted.
     */
    private static final List<Map.Entry<String, Integer>> WANTED =
            List.of(
                    Map.entry("SYS_ADMIN", 21),
                    Map.entry("NET_ADMIN", 12),
                    Map.entry("SYS_MODULE", 16),
                    Map.entry("SYS_RAWIO", 17),
                    Map.entry("SYS_PTRACE", 19),
                    Map.entry("MKNOD", 27),
                    Map.entry("SYS_TIME", 25),
                    Map.entry("SYSLOG", 34),
                    Map.entry("DAC_READ_SEARCH", 2),
                    Map.entry("LINUX_IMMUTABLE", 9),
                    Map.entry("IPC_LOCK", 14),
                    Map.entry("SYS_NICE", 23),
                    Map.entry("NET_BROADCAST", 11),
                    Map.entry("AUDIT_CONTROL", 30),
                    Map.entry("SYS_RESOURCE", 24));

    private final Path proc;

    HostFacts(Path proc) {
        this.proc = proc;
    }

    /** The wanted ones that the host has to give: asking for another fails the start. */
    List<String> capabilities() {
        long bounding = bounding();
        var have = new ArrayList<String>();
        for (var wanted : WANTED) {
            if ((bounding >> wanted.getValue() & 1) == 1) {
                have.add(wanted.getKey());
            }
        }
        return have;
    }

    private long bounding() {
        try {
            for (String line : Files.readAllLines(proc.resolve("self/status"))) {
                if (line.startsWith("CapBnd:")) {
                    return Long.parseUnsignedLong(line.substring("CapBnd:".length()).strip(), 16);
                }
            }
            return -1;
        } catch (IOException e) {
            throw Records.failed("read the host's capabilities", e);
        }
    }

    /** A way packets of the host already take. */
    record Route(String device, Subnet range) {}

    /** The host's IPv4 routes but the default one. */
    List<Route> routes() {
        var routes = new ArrayList<Route>();
        try {
            for (String line : Files.readAllLines(proc.resolve("net/route"))) {
                String[] fields = line.strip().split("\\s+");
                if (fields.length > 7 && fields[1].matches("[0-9A-F]{8}")) {
                    int prefix = Long.bitCount(Long.parseLong(fields[7], 16));
                    if (prefix > 0) {
                        routes.add(new Route(fields[0], Subnet.of(reversed(fields[1]), prefix)));
                    }
                }
            }
        } catch (IOException e) {
            throw Records.failed("read the host's routes", e);
        }
        return routes;
    }

    /** The kernel prints addresses in the machine's byte order: little endian where Berth runs. */
    private static long reversed(String hex) {
        return Integer.reverseBytes((int) Long.parseLong(hex, 16)) & 0xffffffffL;
    }
}
