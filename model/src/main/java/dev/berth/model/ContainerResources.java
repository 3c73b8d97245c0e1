package dev.berth.model;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a container may use of its VM.
 *
 * @param pids most processes and threads; -1: no limit; null: the engine's default
 * @param shmBytes size of {@code /dev/shm}; null: the engine's default
 */
public record ContainerResources(
        Memory memory,
        Cpu cpu,
        Blkio blkio,
        @Nullable Long pids,
        @Nullable Long shmBytes,
        List<Ulimit> ulimits,
        List<Device> devices,
        List<String> deviceCgroupRules,
        List<DeviceRequest> deviceRequests) {
    public static final ContainerResources DEFAULT =
            new ContainerResources(
                    Memory.DEFAULT,
                    Cpu.DEFAULT,
                    Blkio.DEFAULT,
                    null,
                    null,
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of());

    /**
     * Memory, in bytes; null: the engine's default.
     *
     * @param limit hard limit
     * @param swap limit of memory and swap together; -1: no limit of swap
     * @param swappiness 0 to 100
     */
    public record Memory(
            @Nullable Long limit,
            @Nullable Long reservation,
            @Nullable Long swap,
            @Nullable Long swappiness,
            boolean oomKillDisable,
            @Nullable Long oomScoreAdjustment) {
        public static final Memory DEFAULT = new Memory(null, null, null, null, false, null);

        public static Memory limitedTo(long bytes) {
            return new Memory(bytes, null, null, null, false, null);
        }
    }

    /**
     * Processor time; null: the engine's default. Periods, quotas and real-time are microseconds.
     *
     * @param nanoCpus processors times 10⁹
     */
    public record Cpu(
            @Nullable Long shares,
            @Nullable Long nanoCpus,
            @Nullable Long period,
            @Nullable Long quota,
            @Nullable String set,
            @Nullable Long realtimeRuntime,
            @Nullable Long realtimePeriod) {
        public static final Cpu DEFAULT = new Cpu(null, null, null, null, null, null, null);
    }

    /** Share and limits of block devices. */
    public record Blkio(
            @Nullable Long weight,
            List<DeviceRate> weights,
            List<DeviceRate> readBps,
            List<DeviceRate> readIops,
            List<DeviceRate> writeBps,
            List<DeviceRate> writeIops) {
        public static final Blkio DEFAULT =
                new Blkio(null, List.of(), List.of(), List.of(), List.of(), List.of());
    }

    public record DeviceRate(String path, long rate) {}

    public record Ulimit(String name, long soft, long hard) {}

    /**
     * @param permissions of {@code rwm}
     */
    public record Device(String host, String container, String permissions) {}

    /**
     * Devices that a driver of the engine gives, such as GPUs.
     *
     * @param count -1: all; 0: those of {@code deviceIds}
     */
    public record DeviceRequest(
            String driver,
            long count,
            List<String> deviceIds,
            List<String> capabilities,
            Map<String, String> options) {}

    /** Without what an engine can set anew on a living container. */
    ContainerResources withoutLimits() {
        return new ContainerResources(
                new Memory(
                        null,
                        null,
                        null,
                        memory.swappiness,
                        memory.oomKillDisable,
                        memory.oomScoreAdjustment),
                Cpu.DEFAULT,
                new Blkio(
                        null,
                        blkio.weights,
                        blkio.readBps,
                        blkio.readIops,
                        blkio.writeBps,
                        blkio.writeIops),
                null,
                shmBytes,
                ulimits,
                devices,
                deviceCgroupRules,
                deviceRequests);
    }

    public static ContainerResources ofMemory(Memory memory) {
        return new ContainerResources(
                memory,
                Cpu.DEFAULT,
                Blkio.DEFAULT,
                null,
                null,
                List.of(),
                List.of(),
                List.of(),
                List.of());
    }
}
