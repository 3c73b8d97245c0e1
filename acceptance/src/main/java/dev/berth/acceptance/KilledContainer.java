package dev.berth.acceptance;

import dev.berth.model.Json;
import java.util.Map;

/** How long a container whose first process is killed is away, with Berth and without. */
final class KilledContainer {
    private static final String OWN = "bench-own";

    private KilledContainer() {}

    /**
     * {@code kill -9} until the inner engine shows it running with another process, asked every 5
     * ms.
     */
    static double away(BenchVm vm, String name) {
        BenchVm.Inner before = vm.inspect(name).orElseThrow();
        ProcessHandle process = ProcessHandle.of(vm.hostPid(before)).orElseThrow();
        long begun = System.nanoTime();
        process.destroyForcibly();
        BenchTools.await(
                name + " to run again",
                60,
                5,
                () ->
                        vm.inspect(name)
                                .filter(now ->
                                        now.running()
                                                && now.pid() > 0 // 0: about to be restarted
                                                && now.pid() != before.pid())
                                .isPresent());
        return BenchTools.secondsSince(begun);
    }

    /** The same of a container of its own that the engine itself restarts, at its first failure. */
    static double awayUnderTheEngine(BenchVm vm) {
        Map<String, Object> body = Json.of("Image", vm.image("c1"), "Cmd", BenchEnvironment.IDLE);
        body.put("HostConfig", Json.of("RestartPolicy", Json.of("Name", "always")));
        String id = vm.inner().createContainer(OWN, body);
        try {
            vm.inner().startContainer(id);
            BenchTools.pause(1000);
            return away(vm, OWN);
        } finally {
            vm.inner().removeContainer(id, true, true);
        }
    }
}
