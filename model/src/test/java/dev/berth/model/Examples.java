package dev.berth.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A small environment that tests share: a cloud config, a stemcell, a manifest, variables. */
final class Examples {
    static final String CLOUD =
            """
            azs:
            - {name: z1, cloud_properties: {zone: a}}
            - name: z2
            vm_types:
            - name: default
              cloud_properties: {cpus: 2, ephemeral_disk: 4096}
            vm_extensions:
            - {name: big, cloud_properties: {cpus: 8}}
            disk_types:
            - {name: small, disk_size: 1024}
            - {name: large, disk_size: 10240, cloud_properties: {kind: fast}}
            networks:
            - name: default
              subnets:
              - range: 10.245.0.0/24
                gateway: 10.245.0.1
                azs: [z1, z2]
                reserved: [10.245.0.2 - 10.245.0.9]
                static: [10.245.0.10 - 10.245.0.20]
            compilation: {workers: 1, network: default, az: z1, vm_type: default}
            """;

    static final String SHOP =
            """
            name: shop
            stemcells:
            - {alias: default, os: debian, version: latest}
            update:
              canaries: 1
              max_in_flight: 50%
              canary_watch_time: 1000-60000
              update_watch_time: 60000
            variables:
            - {name: db_password, type: password}
            tags: {owner: shop-team}
            instance_groups:
            - name: db
              instances: 1
              azs: [z1]
              vm_type: default
              stemcell: default
              persistent_disk_type: large
              networks:
              - {name: default, static_ips: [10.245.0.10]}
              containers:
              - name: postgres
                image: registry.berth/shop/postgres:15
                environment:
                  POSTGRES_PASSWORD: ((db_password))
                  POSTGRES_VERSION: 1.10
                ports: ["5432:5432"]
                volumes: [pgdata:/var/lib/postgresql]
                memory: 256m
                stop_grace_period: 1m30s
                healthcheck:
                  test: pg_isready -U shop
                  interval: 5s
              - name: writer
                image: registry.berth/shop/writer:1
                command: ["write", "--dsn", "postgres://shop:((db_password))@postgres/shop"]
                links: [postgres:database]
                depends_on:
                  postgres: {condition: service_healthy}
            - name: web
              instances: 2
              azs: [z1, z2]
              vm_type: default
              vm_extensions: [big]
              stemcell: default
              networks: [{name: default}]
              update: {max_in_flight: 1, serial: false, on_failure: rollback}
              containers:
              - name: nginx
                image: registry.berth/shop/web:1
                bind_ports: ["80:8080"]
                restart: unless-stopped
            """;

    static final List<StemcellRef.Available> STEMCELLS =
            List.of(
                    new StemcellRef.Available("berth-debian", "debian", "0.9"),
                    new StemcellRef.Available("berth-debian", "debian", "0.10"),
                    new StemcellRef.Available("berth-debian", "debian", "0.10-rc.1"));

    static final Interpolation VARIABLES =
            Interpolation.of(
                    name ->
                            Optional.ofNullable(
                                    Map.<String, Object>of("/berth/shop/db_password", "s3cret")
                                            .get(name)),
                    "berth",
                    "shop");

    private Examples() {}

    static CloudConfig cloud() {
        return CloudConfigs.parse(YamlDocument.parseConfig(CLOUD, "cloud"));
    }

    static DeploymentManifest shop() {
        return Manifests.resolve(YamlDocument.parse(SHOP), VARIABLES, cloud(), STEMCELLS);
    }

    /** The problems of a manifest, as lines. */
    static String problems(String manifest) {
        try {
            Manifests.resolve(YamlDocument.parse(manifest), VARIABLES, cloud(), STEMCELLS);
            return "";
        } catch (ProblemException e) {
            var lines = new StringBuilder();
            e.problems()
                    .forEach(p -> lines.append(p.code()).append(' ').append(p.text()).append('\n'));
            return lines.toString();
        }
    }
}
