package dev.berth.planner;

/** How disks are called where people read it. */
final class DiskNames {
    private DiskNames() {}

    static String text(String name) {
        return name.isEmpty() ? "disk" : "disk '" + name + "'";
    }
}
