package dev.berth.store;

import static dev.berth.store.Mapping.millis;
import static dev.berth.store.Mapping.millisOrNull;
import static dev.berth.store.Mapping.text;
import static dev.berth.store.Mapping.textOrNull;

import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/** The session in SQL that SQLite and PostgreSQL both understand. */
final class SqlSession extends SqlCertificates {
    SqlSession(Handle handle) {
        super(handle);
    }

    // --- settings

    @Override
    public Optional<String> setting(String key) {
        return one(
                (rs, context) -> rs.getString(1), "SELECT value FROM settings WHERE name = ?", key);
    }

    @Override
    public void putSetting(String key, String value) {
        run(
                """
                INSERT INTO settings (name, value) VALUES (?, ?)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value
                """,
                key,
                value);
    }

    // --- configs

    @Override
    public Rows.Config saveConfig(String type, String name, String content, Instant now) {
        List<Rows.Config> current = configs(type, name, true, 1);
        if (!current.isEmpty() && current.getFirst().content().equals(content)) {
            return current.getFirst();
        }
        return inserted(
                Mapping::config,
                """
                INSERT INTO configs (type, name, content, created_at, deleted)
                VALUES (?, ?, ?, ?, FALSE) RETURNING *
                """,
                type,
                name,
                content,
                millis(now));
    }

    @Override
    public Optional<Rows.Config> config(long id) {
        return one(Mapping::config, "SELECT * FROM configs WHERE id = ?", id);
    }

    @Override
    public List<Rows.Config> configs(
            @Nullable String type, @Nullable String name, boolean currentOnly, int limitPerName) {
        var where = new Where().and("NOT deleted").andIf("type = ?", type).andIf("name = ?", name);
        String sql =
                "SELECT * FROM (SELECT configs.*, row_number() OVER (PARTITION BY type, name ORDER"
                        + " BY id DESC) AS age FROM configs"
                        + where.text()
                        + ") AS c WHERE age <= ? ORDER BY type, CASE name WHEN 'default' THEN 0"
                        + " ELSE 1 END, name, id DESC";
        return list(Mapping::config, sql, where.with(currentOnly ? 1 : limitPerName));
    }

    @Override
    public int deleteConfigs(String type, String name) {
        return run(
                "UPDATE configs SET deleted = TRUE WHERE type = ? AND name = ? AND NOT deleted",
                type,
                name);
    }

    @Override
    public boolean deleteConfig(long id) {
        return run("UPDATE configs SET deleted = TRUE WHERE id = ? AND NOT deleted", id) > 0;
    }

    // --- stemcells

    @Override
    public List<Rows.Stemcell> stemcells() {
        return list(Mapping::stemcell, "SELECT * FROM stemcells ORDER BY name, version, cpi");
    }

    @Override
    public Rows.Stemcell saveStemcell(Rows.Stemcell stemcell) {
        return inserted(
                Mapping::stemcell,
                """
                INSERT INTO stemcells (name, operating_system, version, cid, cpi, api_version)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (name, version, cpi) DO UPDATE SET cid = excluded.cid,
                    operating_system = excluded.operating_system, api_version = excluded.api_version
                RETURNING *
                """,
                stemcell.name(),
                stemcell.operatingSystem(),
                stemcell.version(),
                stemcell.cid().value(),
                stemcell.cpi(),
                stemcell.apiVersion());
    }

    @Override
    public void deleteStemcell(long id) {
        run("DELETE FROM stemcells WHERE id = ?", id);
    }

    // --- deployments

    @Override
    public List<Rows.Deployment> deployments() {
        return list(Mapping::deployment, "SELECT * FROM deployments ORDER BY name");
    }

    @Override
    public Optional<Rows.Deployment> deployment(String name) {
        return one(Mapping::deployment, "SELECT * FROM deployments WHERE name = ?", name);
    }

    @Override
    public void saveDeployment(Rows.Deployment deployment) {
        run(
                """
                INSERT INTO deployments
                    (name, manifest, cloud_config_ids, stemcells, releases, tags, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET manifest = excluded.manifest,
                    cloud_config_ids = excluded.cloud_config_ids, stemcells = excluded.stemcells,
                    releases = excluded.releases, tags = excluded.tags,
                    created_at = excluded.created_at
                """,
                deployment.name(),
                deployment.manifest(),
                text(deployment.cloudConfigIds()),
                text(deployment.stemcells()),
                text(deployment.releases()),
                text(deployment.tags()),
                millis(deployment.createdAt()));
    }

    @Override
    public void deleteDeployment(String name) {
        refuseIfAny(
                "deployment " + name,
                "instances",
                "SELECT count(*) FROM instances WHERE deployment = ?",
                name);
        run("DELETE FROM deployments WHERE name = ?", name);
    }

    // --- instances

    @Override
    public List<Rows.Instance> instances(@Nullable String deployment) {
        var where = new Where().andIf("deployment = ?", deployment);
        return list(
                Mapping::instance,
                "SELECT * FROM instances"
                        + where.text()
                        + " ORDER BY deployment, group_name, group_index, id",
                where.with());
    }

    @Override
    public Optional<Rows.Instance> instance(InstanceId id) {
        return one(Mapping::instance, "SELECT * FROM instances WHERE id = ?", id.value());
    }

    @Override
    public void saveInstance(Rows.Instance instance) {
        run(
                """
                INSERT INTO instances (id, deployment, group_name, group_index, az, state,
                    bootstrap, ignored, update_completed, spec, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET deployment = excluded.deployment,
                    group_name = excluded.group_name, group_index = excluded.group_index,
                    az = excluded.az, state = excluded.state, bootstrap = excluded.bootstrap,
                    ignored = excluded.ignored, update_completed = excluded.update_completed,
                    spec = excluded.spec, created_at = excluded.created_at
                """,
                instance.id().value(),
                instance.deployment(),
                instance.group(),
                instance.index(),
                instance.az(),
                instance.state(),
                instance.bootstrap(),
                instance.ignored(),
                instance.updateCompleted(),
                text(instance.spec()),
                millis(instance.createdAt()));
    }

    @Override
    public void deleteInstance(InstanceId id) {
        String what = "instance " + id;
        refuseIfAny(what, "VMs", "SELECT count(*) FROM vms WHERE instance = ?", id.value());
        refuseIfAny(what, "disks", "SELECT count(*) FROM disks WHERE instance = ?", id.value());
        run("DELETE FROM instances WHERE id = ?", id.value());
    }

    // --- VMs

    @Override
    public List<Rows.Vm> vms(@Nullable InstanceId instance) {
        var where = new Where().andIf("instance = ?", textOrNull(instance));
        return list(
                Mapping::vm,
                "SELECT * FROM vms" + where.text() + " ORDER BY created_at, agent",
                where.with());
    }

    @Override
    public List<Rows.Vm> vmsOf(@Nullable String deployment) {
        var where = new Where().andIf("i.deployment = ?", deployment);
        return list(
                Mapping::vm,
                "SELECT v.* FROM vms v JOIN instances i ON i.id = v.instance"
                        + where.text()
                        + " ORDER BY i.deployment, i.group_name, i.group_index, v.created_at,"
                        + " v.agent",
                where.with());
    }

    @Override
    public Optional<Rows.Vm> vm(AgentId agent) {
        return one(Mapping::vm, "SELECT * FROM vms WHERE agent = ?", agent.value());
    }

    @Override
    public void saveVm(Rows.Vm vm) {
        run(
                """
                INSERT INTO vms
                    (agent, cid, instance, cpi, shape, active, permanent_credentials, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (agent) DO UPDATE SET cid = excluded.cid, instance = excluded.instance,
                    cpi = excluded.cpi, shape = excluded.shape, active = excluded.active,
                    permanent_credentials = excluded.permanent_credentials,
                    created_at = excluded.created_at
                """,
                vm.agent().value(),
                vm.cid().value(),
                vm.instance().value(),
                vm.cpi(),
                text(vm.shape()),
                vm.active(),
                vm.permanentCredentials(),
                millis(vm.createdAt()));
    }

    @Override
    public void deleteVm(AgentId agent) {
        run("DELETE FROM vms WHERE agent = ?", agent.value());
    }

    // --- disks

    @Override
    public List<Rows.Disk> disks(@Nullable InstanceId instance) {
        var where = new Where().andIf("instance = ?", textOrNull(instance));
        return list(
                Mapping::disk,
                "SELECT * FROM disks" + where.text() + " ORDER BY cid",
                where.with());
    }

    @Override
    public List<Rows.Disk> disksOf(@Nullable String deployment) {
        var where = new Where().andIf("i.deployment = ?", deployment);
        return list(
                Mapping::disk,
                "SELECT d.* FROM disks d JOIN instances i ON i.id = d.instance"
                        + where.text()
                        + " ORDER BY d.cid",
                where.with());
    }

    @Override
    public List<Rows.Disk> orphanedDisks() {
        return list(
                Mapping::disk,
                "SELECT * FROM disks WHERE orphaned_at IS NOT NULL ORDER BY orphaned_at, cid");
    }

    @Override
    public Optional<Rows.Disk> disk(DiskCid cid) {
        return one(Mapping::disk, "SELECT * FROM disks WHERE cid = ?", cid.value());
    }

    @Override
    public void saveDisk(Rows.Disk disk) {
        run(
                """
                INSERT INTO disks (cid, instance, attached_to, size_mb, cloud_properties, type,
                    active, orphaned_at, deployment, instance_name, az, cpi, name, options,
                    copy_of)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (cid) DO UPDATE SET instance = excluded.instance,
                    attached_to = excluded.attached_to, size_mb = excluded.size_mb,
                    cloud_properties = excluded.cloud_properties, type = excluded.type,
                    active = excluded.active, orphaned_at = excluded.orphaned_at,
                    deployment = excluded.deployment, instance_name = excluded.instance_name,
                    az = excluded.az, cpi = excluded.cpi, name = excluded.name,
                    options = excluded.options, copy_of = excluded.copy_of
                """,
                disk.cid().value(),
                textOrNull(disk.instance()),
                textOrNull(disk.attachedTo()),
                disk.sizeMb(),
                text(disk.cloudProperties()),
                disk.type(),
                disk.active(),
                millisOrNull(disk.orphanedAt()),
                disk.deployment(),
                disk.instanceName(),
                disk.az(),
                disk.cpi(),
                disk.name(),
                text(disk.options()),
                textOrNull(disk.copyOf()));
    }

    @Override
    public void deleteDisk(DiskCid cid) {
        run("DELETE FROM disks WHERE cid = ?", cid.value());
    }

    // --- addresses

    @Override
    public List<Rows.Ip> ips() {
        return list(
                Mapping::ip,
                "SELECT address, network, coalesce(instance, spare) AS instance, is_static"
                        + " FROM ips ORDER BY address");
    }

    @Override
    public List<Rows.Ip> ips(InstanceId instance) {
        return list(
                Mapping::ip,
                "SELECT * FROM ips WHERE instance = ? ORDER BY address",
                instance.value());
    }

    @Override
    public boolean reserveIp(Rows.Ip ip) {
        return run(
                        """
                        INSERT INTO ips (address, network, instance, is_static) VALUES (?, ?, ?, ?)
                        ON CONFLICT (address) DO UPDATE SET network = excluded.network,
                            is_static = excluded.is_static
                        WHERE ips.instance = excluded.instance
                        """,
                        ip.address(),
                        ip.network(),
                        ip.instance().value(),
                        ip.isStatic())
                > 0;
    }

    @Override
    public void releaseIp(String address) {
        run("DELETE FROM ips WHERE address = ?", address);
    }

    // --- variables

    @Override
    public Optional<Rows.Variable> variable(String name) {
        return one(
                Mapping::variable,
                "SELECT * FROM variables WHERE name = ? ORDER BY id DESC LIMIT 1",
                name);
    }

    @Override
    public Rows.Variable addVariable(String name, String type, String sealed, Instant now) {
        return inserted(
                Mapping::variable,
                """
                INSERT INTO variables (name, type, sealed, created_at) VALUES (?, ?, ?, ?)
                RETURNING *
                """,
                name,
                type,
                sealed,
                millis(now));
    }

    @Override
    public List<Rows.Variable> variables(String namePrefix) {
        return list(
                Mapping::variable,
                """
                SELECT * FROM variables WHERE id IN (SELECT max(id) FROM variables
                    WHERE substr(name, 1, length(?)) = ? GROUP BY name) ORDER BY name
                """,
                namePrefix,
                namePrefix);
    }
}
