package dev.berth.acceptance;

import dev.berth.model.Fields;
import java.util.List;

/** A pool of one spare VM beside what the cloud config has; when closed it is as before. */
final class BenchPool implements AutoCloseable {
    private static final int SECONDS = 120;

    private final BenchDirector director;
    private final String before;

    private BenchPool(BenchDirector director, String before) {
        this.director = director;
        this.before = before;
    }

    /**
     * @param pools a {@code vm_pools} key
     */
    static BenchPool of(BenchEnvironment environment, String pools) {
        BenchDirector director = environment.director();
        String before = director.cloudConfig();
        director.cloudConfig(before + pools);
        return new BenchPool(director, before);
    }

    /** Its VM waits and has the images, and nothing else goes on. */
    void awaitPrepared() {
        BenchTools.await(
                "a spare VM",
                SECONDS,
                100,
                () -> {
                    List<Fields> spares = spares();
                    return spares.size() == 1
                            && spares.getFirst().string("job_state", "").equals("ready")
                            && spares.getFirst().flag("prepared", false)
                            && director.list("/tasks?verbose=2&state=queued,processing").isEmpty();
                });
    }

    private List<Fields> spares() {
        return director.list("/vm_pools").stream()
                .flatMap(pool -> pool.objects("vms").stream())
                .toList();
    }

    @Override
    public void close() {
        director.cloudConfig(before);
        BenchTools.await("the end of the spare VMs", SECONDS, 100, () -> spares().isEmpty());
    }
}
