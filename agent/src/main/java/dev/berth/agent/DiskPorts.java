package dev.berth.agent;

/** What the agent's disks stand on: the VM's devices, its copier, and its kernel's words. */
record DiskPorts(DiskTools tools, TreeCopier copier, KernelLog kernel) {
    /** The real ones; the kernel is not listened to before it is started. */
    static DiskPorts of(Layout layout, Programs programs) {
        return new DiskPorts(
                new LinuxDisks(layout, programs), new Rsync(), new KernelLog(layout, programs));
    }
}
