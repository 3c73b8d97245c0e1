package dev.berth.director;

import dev.berth.bus.AgentCalls;
import dev.berth.cpi.Cpi;
import dev.berth.store.Store;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP side of the director: every endpoint on one port. Made before the tasks start, for it
 * registers the jobs of its own task types; the executor registers {@code update_deployment},
 * {@code delete_deployment} and {@code cck_scan_and_fix}, whose payloads {@link DeploymentsApi}
 * describes.
 */
public final class DirectorApi implements AutoCloseable {
    private final Api api;
    private final Router router;
    private final StemcellsApi stemcells;
    private final @Nullable ImagesApi images;
    private @Nullable HttpServer server;

    /**
     * What the endpoints stand on.
     *
     * @param uploads folder for stemcells until their task has run
     * @param local folder whose stemcells may be named by a {@code file:} location, which spares a
     *     director beside its user the way through TLS; null: none
     * @param images null: none come in
     * @param watching null: no alerts and no metrics
     */
    public record Parts(
            DirectorIdentity identity,
            Environment environment,
            Users users,
            Store store,
            Tasks tasks,
            OrphanedDisks orphans,
            AuditTrail trail,
            FleetView fleet,
            AgentCalls agents,
            Cpi cpi,
            Blobs blobs,
            SecretBox box,
            Path uploads,
            @Nullable Path local,
            @Nullable ImageDoors images,
            @Nullable Watching watching) {}

    /** More endpoints, of what only a whole environment has; before it listens. */
    void certificates(CertificateKeeper keeper, Tasks tasks) {
        new CertificatesApi(keeper, tasks).addTo(router);
    }

    /** What is told to whom, and what is counted. */
    record Watching(AlertDesk alerts, Metrics metrics, VmPools pools) {}

    /** Where images come in: contexts to build from, and archives. */
    record ImageDoors(BuildContexts contexts, ImageArchives archives) {}

    public DirectorApi(Parts parts) {
        Store store = parts.store();
        Tasks tasks = parts.tasks();
        router = new Router();
        stemcells =
                new StemcellsApi(
                        store,
                        tasks,
                        parts.box(),
                        parts.cpi(),
                        parts.identity(),
                        parts.uploads(),
                        parts.local());
        stemcells.addTo(router);
        new InfoApi(parts.identity(), parts.environment(), store).addTo(router);
        new TasksApi(store, tasks).addTo(router);
        new DeploymentsApi(store, tasks, parts.identity()).addTo(router);
        new FleetApi(store, tasks, new Fleet(store, parts.fleet(), tasks.clock())).addTo(router);
        new InsideApi(store, tasks, parts.trail(), parts.fleet(), parts.agents()).addTo(router);
        var configs = new ConfigsApi(store, tasks.clock(), parts.trail());
        configs.with(ResurrectionRules.TYPE, (name, yaml) -> ResurrectionRules.check(yaml));
        Runnable variablesChanged = alerts(parts, configs, router);
        configs.addTo(router);
        new NamedConfigsApi(store, tasks.clock(), parts.trail()).addTo(router);
        var variables = new Variables(store, parts.box(), parts.identity(), tasks.clock());
        new VariablesApi(variables, parts.trail(), variablesChanged).addTo(router);
        new ReleasesApi(store, tasks).addTo(router);
        new DisksApi(store, tasks, parts.orphans()).addTo(router);
        new DoctorApi(store, tasks).addTo(router);
        new CloudCheckApi(store, tasks).addTo(router);
        new SnapshotsApi(store, tasks).addTo(router);
        new BackupsApi(store, tasks).addTo(router);
        new AuditApi(store, tasks.locks(), parts.trail()).addTo(router);
        new BlobsApi(parts.blobs()).addTo(router);
        images = images(parts, router);
        api = new Api(router, parts.users());
    }

    /** What has to be done when a variable has another value. */
    private static Runnable alerts(Parts parts, ConfigsApi configs, Router router) {
        Watching watching = parts.watching();
        if (watching == null) {
            return () -> {};
        }
        AlertDesk desk = watching.alerts();
        router.get(
                "/metrics",
                Access.READ,
                call -> new Reply.Content(200, Metrics.TYPE, watching.metrics().text()));
        new AlertsApi(desk, parts.store()).addTo(router);
        router.get("/vm_pools", Access.READ, call -> Reply.json(watching.pools().list()));
        AlertCouriers couriers = desk.couriers();
        configs.with(
                AlertCouriers.TYPE,
                new ConfigsApi.Care() {
                    @Override
                    public void check(String name, String yaml) {
                        couriers.check(name, yaml);
                    }

                    @Override
                    public void changed() {
                        couriers.reload();
                    }
                });
        return couriers::reload;
    }

    private static @Nullable ImagesApi images(Parts parts, Router router) {
        ImageDoors doors = parts.images();
        if (doors == null) {
            return null;
        }
        new BuildContextsApi(doors.contexts()).addTo(router);
        Path folder = parts.uploads().resolveSibling("image-uploads");
        var api = new ImagesApi(parts.store(), parts.tasks(), doors.archives(), folder);
        api.addTo(router);
        return api;
    }

    /**
     * Listens when it returns; clears uploads that a killed director left.
     *
     * @param address port 0: any free one
     * @param tls with an RSA certificate: under TLS 1.2 the stock CLI offers no other
     * @return the port
     * @throws IOException the port is taken, or the folder of uploads cannot be made
     */
    public synchronized int listen(InetSocketAddress address, SSLContext tls) throws IOException {
        stemcells.sweep();
        if (images != null) {
            images.sweep();
        }
        server = new HttpServer(address, tls, api);
        return server.port();
    }

    @Override
    public synchronized void close() {
        if (server != null) {
            server.close();
        }
    }
}
