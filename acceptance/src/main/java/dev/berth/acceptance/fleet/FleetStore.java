package dev.berth.acceptance.fleet;

import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import dev.berth.store.StoreSession;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * The records of the fleet: one instance is deployed by the director itself, and all others are
 * recorded as it recorded that one.
 */
final class FleetStore {
    private static final String FIRST = FleetNames.deployment(0);
    private static final String CLOUD_CONFIG =
            """
            azs: [{name: z1}, {name: z2}, {name: z3}]
            vm_types: [{name: small, cloud_properties: {cpus: 1}}]
            networks:
            - name: default
              subnets: [{range: 10.64.0.0/16, gateway: 10.64.0.1, azs: [z1, z2, z3]}]
            """;

    private FleetStore() {}

    static void furnish(Store store) {
        store.update(s -> {
            s.saveStemcell(
                    new Rows.Stemcell(
                            0, "made-up", "made-up", "1", new StemcellCid("sc-1"), "", 3));
            s.saveConfig("cloud", "default", CLOUD_CONFIG, now());
        });
    }

    private static Instant now() {
        return Clock.systemUTC().instant();
    }

    private static String manifest(String name, int instances) {
        return """
        name: %s
        stemcells: [{alias: default, name: made-up, version: "1"}]
        update: {canaries: 1, max_in_flight: 10, canary_watch_time: 0-60000, update_watch_time: 0-60000}
        instance_groups:
        - name: node
          instances: %d
          azs: [z1, z2, z3]
          vm_type: small
          stemcell: default
          networks: [{name: default}]
          containers:
          - {name: store, image: 'registry.berth:5000/made/store:1'}
          - {name: writer, image: 'registry.berth:5000/made/writer:1', depends_on: [store]}
          - {name: metrics, image: 'registry.berth:5000/made/metrics:1'}
        """
                .formatted(name, instances);
    }

    /** The task that deploys the first instance. */
    static Map<String, Object> firstDeploy(Store store) {
        long config = store.read(s -> s.configs("cloud", "default", true, 1)).getFirst().id();
        return Json.of(
                "deployment",
                FIRST,
                "manifest",
                manifest(FIRST, 1),
                "options",
                Json.of(),
                "context",
                Json.of("cloud_config_ids", List.of(config), "runtime_config_ids", List.of()));
    }

    /** Takes the first instance for the pattern of so many. */
    static void multiply(Store store, int count) {
        store.update(s -> {
            Rows.Deployment deployment = s.deployment(FIRST).orElseThrow();
            Rows.Instance instance = s.instances(FIRST).getFirst();
            Rows.Vm vm = s.vmsOf(FIRST).getFirst();
            Rows.Ip ip = s.ips(instance.id()).getFirst();
            s.releaseIp(ip.address());
            s.deleteVm(vm.agent());
            s.deleteInstance(instance.id());
            for (int first = 0; first < count; first += FleetNames.EACH) {
                String name = FleetNames.deployment(first);
                int instances = Math.min(FleetNames.EACH, count - first);
                s.saveDeployment(
                        new Rows.Deployment(
                                name,
                                manifest(name, instances),
                                deployment.cloudConfigIds(),
                                deployment.stemcells(),
                                deployment.releases(),
                                deployment.tags(),
                                deployment.createdAt()));
                for (int i = first; i < first + instances; i++) {
                    copy(s, i, instance, vm, ip);
                }
            }
        });
    }

    private static void copy(
            StoreSession s, int number, Rows.Instance instance, Rows.Vm vm, Rows.Ip ip) {
        InstanceId id = FleetNames.instance(number);
        String address = FleetNames.address(number);
        int index = number % FleetNames.EACH;
        s.saveInstance(
                new Rows.Instance(
                        id,
                        FleetNames.deployment(number),
                        instance.group(),
                        index,
                        FleetNames.zone(number),
                        instance.state(),
                        index == 0,
                        false,
                        true,
                        renamed(instance.spec(), instance.id(), id, ip.address(), address),
                        instance.createdAt()));
        s.reserveIp(new Rows.Ip(address, ip.network(), id, false));
        s.saveVm(
                new Rows.Vm(
                        FleetNames.agent(number),
                        FleetNames.vm(number),
                        id,
                        vm.cpi(),
                        renamed(vm.shape(), instance.id(), id, ip.address(), address),
                        true,
                        vm.permanentCredentials(),
                        vm.createdAt()));
    }

    private static Map<String, Object> renamed(
            Map<String, Object> tree, InstanceId was, InstanceId is, String wasAt, String isAt) {
        String text =
                Json.write(tree)
                        .replace(was.value(), is.value())
                        .replace('"' + wasAt + '"', '"' + isAt + '"');
        return Json.object(text);
    }

    /** What the agents are to have applied. */
    static String hash(Store store) {
        Rows.Instance one = store.read(s -> s.instances(FIRST)).getFirst();
        return Fields.of(one.spec(), "spec").string("configuration_hash");
    }

    static VmCid vmOf(Store store, int number) {
        return store.read(s -> s.vms(FleetNames.instance(number))).getFirst().cid();
    }
}
