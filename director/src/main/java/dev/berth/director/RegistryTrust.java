package dev.berth.director;

import dev.berth.model.DaemonSettings;
import dev.berth.model.ImageName;
import dev.berth.model.Json;
import dev.berth.model.RegistryLogin;
import dev.berth.model.Secret;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a manifest tells the daemons of its VMs about registries holds for the director too, which
 * asks those registries in their place: manifests of the docker release say it there only.
 */
final class RegistryTrust {
    private RegistryTrust() {}

    /**
     * @param logins as {@code registries} has them; what they say of a host's certificate wins
     * @return the same, and entries for hosts that only the daemons know of
     */
    static List<RegistryLogin> with(List<RegistryLogin> logins, List<DaemonSettings> daemons) {
        var all = new LinkedHashMap<String, RegistryLogin>();
        logins.forEach(l -> all.putIfAbsent(l.host(), l));
        for (DaemonSettings daemon : daemons) {
            for (Map.Entry<String, String> ca : daemon.registryCas().entrySet()) {
                all.merge(
                        ImageName.host(ca.getKey()),
                        login(ca.getKey(), new Secret(ca.getValue()), false),
                        RegistryTrust::trusting);
            }
            for (Object host : hosts(daemon)) {
                all.merge(
                        ImageName.host(host.toString()),
                        login(host.toString(), null, true),
                        RegistryTrust::trusting);
            }
        }
        return new ArrayList<>(all.values());
    }

    private static List<Object> hosts(DaemonSettings daemon) {
        Object hosts = daemon.config().get("insecure-registries");
        return hosts == null ? List.of() : Json.asList(hosts);
    }

    private static RegistryLogin login(String host, @Nullable Secret ca, boolean insecure) {
        return new RegistryLogin(ImageName.host(host), null, null, ca, insecure);
    }

    private static RegistryLogin trusting(RegistryLogin known, RegistryLogin daemon) {
        return known.insecure() || known.ca() != null
                ? known
                : new RegistryLogin(
                        known.host(),
                        known.username(),
                        known.password(),
                        daemon.ca(),
                        daemon.insecure());
    }
}
