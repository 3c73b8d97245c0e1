package dev.berth.director;

import dev.berth.bus.CertificateMaker.Key;
import dev.berth.bus.NatsServer;
import dev.berth.bus.Pki;
import java.util.ArrayList;
import java.util.List;

/**
 * The certificates that the environment itself shows: of the director's API, the bus, the registry
 * and the director's own users of the bus. Each is taken on without stopping what it serves, but
 * for the registry, which starts anew within seconds. Thread-safe as its parts are.
 *
 * @param apiHosts names and addresses of the API
 * @param registryHosts of the registry
 */
record ServerCertificates(
        Pki pki,
        NatsServer bus,
        RegistryServer registry,
        List<String> apiHosts,
        List<String> registryHosts)
        implements CertificateKeeper.Servers {
    static final String API = "director";
    static final String REGISTRY = "registry";
    private static final String BUS = "nats";

    @Override
    public List<String> renewDue() {
        var renewed = new ArrayList<String>();
        if (pki.isDue(API)) {
            pki.server(API, apiHosts);
            renewed.add(API);
        }
        pki.renewClients();
        if (pki.isDue(BUS)) {
            bus.takeCertificates();
            renewed.add(BUS);
        }
        if (pki.isDue(REGISTRY)) {
            pki.server(REGISTRY, registryHosts, Key.EC_P256);
            registry.restart();
            renewed.add(REGISTRY);
        }
        return renewed;
    }

    @Override
    public void forgetAll() {
        List.of(API, BUS, REGISTRY).forEach(pki::forget);
    }

    @Override
    public void trustChanged() {
        bus.takeCertificates();
    }
}
