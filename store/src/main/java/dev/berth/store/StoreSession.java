package dev.berth.store;

import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
import dev.berth.model.SnapshotCid;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes inside one transaction. Lists come in a stated, stable order; text orders byte
 * by byte. A row that would break a rule between rows (a VM of no instance, a deployment deleted
 * under its instances) is an {@link IllegalStateException} and ends the transaction. Not
 * thread-safe.
 */
public interface StoreSession {
    // --- settings of the director itself (uuid, resurrection, ...)
    Optional<String> setting(String key);

    void putSetting(String key, String value);

    // --- configs
    /** Saves a new version unless the content equals the current one; returns the current row. */
    Rows.Config saveConfig(String type, String name, String content, Instant now);

    Optional<Rows.Config> config(long id);

    /**
     * Newest first within a name, {@code default} first among names; null arguments match all;
     * deleted ones are left out.
     */
    List<Rows.Config> configs(
            @Nullable String type, @Nullable String name, boolean currentOnly, int limitPerName);

    /** Marks deleted; returns how many versions that were. */
    int deleteConfigs(String type, String name);

    boolean deleteConfig(long id);

    // --- stemcells, by name then version
    List<Rows.Stemcell> stemcells();

    /** Inserts, or replaces the cid of an equal (name, version, cpi). */
    Rows.Stemcell saveStemcell(Rows.Stemcell stemcell);

    void deleteStemcell(long id);

    // --- deployments, by name
    List<Rows.Deployment> deployments();

    Optional<Rows.Deployment> deployment(String name);

    void saveDeployment(Rows.Deployment deployment);

    /** Its instances must be gone. */
    void deleteDeployment(String name);

    // --- instances, by group then index
    List<Rows.Instance> instances(@Nullable String deployment);

    Optional<Rows.Instance> instance(InstanceId id);

    void saveInstance(Rows.Instance instance);

    /** Frees its addresses too; its VMs must be gone and its disks orphaned. */
    void deleteInstance(InstanceId id);

    // --- VMs, oldest first
    List<Rows.Vm> vms(@Nullable InstanceId instance);

    /** The VM that stands for an instance now. */
    default Optional<Rows.Vm> activeVm(InstanceId instance) {
        return vms(instance).stream().filter(Rows.Vm::active).findFirst();
    }

    /** VMs of one deployment, or of all, in the order of their instances. */
    List<Rows.Vm> vmsOf(@Nullable String deployment);

    Optional<Rows.Vm> vm(AgentId agent);

    void saveVm(Rows.Vm vm);

    void deleteVm(AgentId agent);

    // --- spare VMs of pools, oldest first
    List<Rows.Spare> spares();

    Optional<Rows.Spare> spare(AgentId agent);

    void saveSpare(Rows.Spare spare);

    /** Frees its addresses too. */
    void deleteSpare(AgentId agent);

    /** False, without change, when somebody holds the address. */
    boolean reserveSpareIp(AgentId spare, String network, String address);

    // --- disks, by cid
    List<Rows.Disk> disks(@Nullable InstanceId instance);

    /** Disks that belong to instances of one deployment, or of all. */
    List<Rows.Disk> disksOf(@Nullable String deployment);

    List<Rows.Disk> orphanedDisks();

    Optional<Rows.Disk> disk(DiskCid cid);

    void saveDisk(Rows.Disk disk);

    void deleteDisk(DiskCid cid);

    // --- snapshots, oldest first
    /** Null: of all disks, orphaned ones included. */
    List<Rows.Snapshot> snapshots(@Nullable DiskCid disk);

    /** Of the disks that instances of the deployment hold now. */
    List<Rows.Snapshot> snapshotsOf(String deployment);

    void saveSnapshot(Rows.Snapshot snapshot);

    void deleteSnapshot(SnapshotCid cid);

    // --- backups, newest first
    List<Rows.Backup> backups(@Nullable String deployment);

    Optional<Rows.Backup> backup(String id);

    /** Inserts, or replaces what the last trial said. */
    void saveBackup(Rows.Backup backup);

    void deleteBackup(String id);

    // --- alerts, newest first
    /** Null: in any state. */
    List<Rows.Alert> alerts(@Nullable List<String> states, int limit);

    Optional<Rows.Alert> alert(long number);

    /** Inserts, or replaces the one of that number. */
    void saveAlert(Rows.Alert alert);

    /**
     * Deletes all but the newest that are over and told, and what is known of their deliveries.
     *
     * @return how many alerts went
     */
    int forgetAlerts(int keep);

    // --- deliveries of notices of alerts, oldest first
    /** False, without change, when that sink has that notice already. */
    boolean addDelivery(Rows.Delivery delivery);

    /** Replaces state, tries and times. */
    void saveDelivery(Rows.Delivery delivery);

    List<Rows.Delivery> waitingDeliveries(String sink, int limit);

    /** How many wait, by sink. */
    Map<String, Long> waitingDeliveries();

    List<Rows.Delivery> deliveriesOf(long alert);

    /** All that wait for a sink; returns how many that were. */
    int dropDeliveries(String sink, String said, Instant now);

    // --- certificates of agents, by agent
    List<Rows.AgentCertificate> agentCertificates();

    /** Inserts, or replaces the agent's. */
    void saveAgentCertificate(Rows.AgentCertificate certificate);

    void deleteAgentCertificate(AgentId agent);

    // --- addresses, by address as text
    /** Also those of spare VMs, as of an instance with the id of the agent. */
    List<Rows.Ip> ips();

    List<Rows.Ip> ips(InstanceId instance);

    /** False, without change, when another instance holds the address. */
    boolean reserveIp(Rows.Ip ip);

    void releaseIp(String address);

    // --- variables
    Optional<Rows.Variable> variable(String name);

    Rows.Variable addVariable(String name, String type, String sealed, Instant now);

    /** Current values whose names begin with the prefix, by name. */
    List<Rows.Variable> variables(String namePrefix);

    // --- tasks
    Rows.Task addTask(
            String type,
            String description,
            String user,
            @Nullable String deployment,
            String contextId,
            Map<String, Object> payload,
            Instant now);

    Optional<Rows.Task> task(long id);

    /** Replaces state, times and result. */
    void saveTask(Rows.Task task);

    /**
     * Newest first.
     *
     * @param states null: any
     * @param types null: any
     */
    List<Rows.Task> tasks(
            @Nullable List<String> states,
            @Nullable List<String> types,
            @Nullable String deployment,
            int limit);

    /** Of all that are remembered, by type and state. */
    List<Rows.TaskCount> taskCounts();

    /**
     * Deletes ended tasks beyond the newest {@code keepPerType} of each type, with their journal;
     * one whose journal has an open intent stays. Returns their ids, so that their logs can go too.
     */
    List<Long> forgetTasks(int keepPerType);

    // --- journal
    /** The id must be new: an intent is written once. */
    void beginIntent(Rows.Intent intent);

    /** Throws {@link IllegalStateException} when it is unknown or has ended already. */
    void endIntent(IntentId id, String outcome, Instant now);

    /** Oldest first; null: of any task. */
    List<Rows.Intent> openIntents(@Nullable Long task);

    /** All of a task, oldest first. */
    List<Rows.Intent> intents(long task);

    // --- audit events, newest first
    Rows.Event addEvent(Rows.Event event);

    Optional<Rows.Event> event(long id);

    List<Rows.Event> events(@Nullable Long beforeId, @Nullable String deployment, int limit);

    /** Deletes all but the newest; returns how many went. */
    int forgetEvents(int keep);
}
