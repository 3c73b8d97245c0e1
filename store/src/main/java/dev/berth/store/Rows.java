package dev.berth.store;

import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
import dev.berth.model.SnapshotCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The rows of the store. Trees are JSON objects; times have millisecond precision. */
public final class Rows {
    private Rows() {}

    /** One version of a config; ids grow, the newest undeleted one of a (type, name) is current. */
    public record Config(
            long id,
            String type,
            String name,
            String content,
            Instant createdAt,
            boolean deleted) {}

    /** A stemcell as one CPI holds it; {@code cpi} is empty without a CPI config. */
    public record Stemcell(
            long id,
            String name,
            String operatingSystem,
            String version,
            StemcellCid cid,
            String cpi,
            int apiVersion) {}

    /**
     * A deployment.
     *
     * @param manifest text last deployed successfully; null before that
     * @param stemcells {@code name/version} in use
     * @param releases {@code name/version} in use
     */
    public record Deployment(
            String name,
            @Nullable String manifest,
            List<Long> cloudConfigIds,
            List<String> stemcells,
            List<String> releases,
            Map<String, Object> tags,
            Instant createdAt) {}

    /**
     * An instance: what outlives its VMs.
     *
     * @param state wished: {@code started}, {@code stopped} or {@code detached}
     * @param updateCompleted false while an update is under way and after one that failed
     * @param spec what was applied last, without secrets: containers' names, images and digests,
     *     networks, hash
     */
    public record Instance(
            InstanceId id,
            String deployment,
            String group,
            int index,
            @Nullable String az,
            String state,
            boolean bootstrap,
            boolean ignored,
            boolean updateCompleted,
            Map<String, Object> spec,
            Instant createdAt) {
        /** A person says that nobody is to touch it, or that it may be touched again. */
        public Instance ignored(boolean nowIgnored) {
            return with(state, bootstrap, nowIgnored, updateCompleted, spec);
        }

        public Instance updateCompleted(boolean nowCompleted) {
            return with(state, bootstrap, ignored, nowCompleted, spec);
        }

        public Instance ofSpec(Map<String, Object> newSpec) {
            return with(state, bootstrap, ignored, updateCompleted, newSpec);
        }

        /** An update has come to its end. */
        public Instance updated(
                String newState, boolean nowBootstrap, Map<String, Object> newSpec) {
            return with(newState, nowBootstrap, ignored, true, newSpec);
        }

        /** It has another name, or lives in another zone, and that has still to be carried out. */
        public Instance placed(String newGroup, int newIndex, @Nullable String newAz) {
            return new Instance(
                    id,
                    deployment,
                    newGroup,
                    newIndex,
                    newAz,
                    state,
                    bootstrap,
                    ignored,
                    false,
                    spec,
                    createdAt);
        }

        private Instance with(
                String newState,
                boolean nowBootstrap,
                boolean nowIgnored,
                boolean nowCompleted,
                Map<String, Object> newSpec) {
            return new Instance(
                    id,
                    deployment,
                    group,
                    index,
                    az,
                    newState,
                    nowBootstrap,
                    nowIgnored,
                    nowCompleted,
                    newSpec,
                    createdAt);
        }
    }

    /**
     * A VM. The row is written when the cloud has answered, in the transaction that ends the
     * intent.
     *
     * @param shape what the VM was made from, for comparison: cloud properties, env digest,
     *     stemcell, networks
     */
    public record Vm(
            AgentId agent,
            VmCid cid,
            InstanceId instance,
            String cpi,
            Map<String, Object> shape,
            boolean active,
            boolean permanentCredentials,
            Instant createdAt) {
        public Vm ofShape(Map<String, Object> newShape) {
            return new Vm(
                    agent, cid, instance, cpi, newShape, active, permanentCredentials, createdAt);
        }
    }

    /**
     * A spare VM of a pool, from the intent to make it until an instance has it or it is gone. Its
     * addresses are reserved as long as the row is there.
     *
     * @param cid null until the cloud has answered
     * @param state {@code making}; {@code booting}: its agent is awaited; {@code ready}: an
     *     instance may take it; {@code taken}: it is an instance's, whose VM row says so; {@code
     *     leaving}: it is to be deleted
     * @param shape as that of a VM
     * @param images digest over the images that it was told to have
     */
    public record Spare(
            AgentId agent,
            @Nullable VmCid cid,
            String pool,
            String state,
            Map<String, Object> shape,
            String images,
            Instant createdAt) {
        public static final String MAKING = "making";
        public static final String BOOTING = "booting";
        public static final String READY = "ready";
        public static final String TAKEN = "taken";
        public static final String LEAVING = "leaving";

        public boolean is(String oneState) {
            return state.equals(oneState);
        }

        public Spare in(String newState) {
            return new Spare(agent, cid, pool, newState, shape, images, createdAt);
        }

        public Spare made(VmCid as) {
            return new Spare(agent, as, pool, BOOTING, shape, images, createdAt);
        }

        public Spare having(String newImages) {
            return new Spare(agent, cid, pool, state, shape, newImages, createdAt);
        }
    }

    /**
     * A persistent disk.
     *
     * @param instance holder; null once orphaned
     * @param attachedTo VM it is attached to as far as the director knows; null when to none
     * @param active the instance's live disk of that name, as opposed to one being copied to or
     *     from
     * @param orphanedAt null while it belongs to an instance
     * @param instanceName {@code group/uuid}, kept for the list of orphans
     * @param name among the disks of its instance; empty for the managed one
     * @param options how it is formatted and mounted, and what the manifest said when a person gave
     *     it another size: {@code file_system}, {@code mount_options}, {@code raw}, {@code
     *     manifest_mb}
     * @param copyOf while it is being filled: the live disk it is to take the place of
     */
    public record Disk(
            DiskCid cid,
            @Nullable InstanceId instance,
            @Nullable VmCid attachedTo,
            long sizeMb,
            Map<String, Object> cloudProperties,
            String type,
            boolean active,
            @Nullable Instant orphanedAt,
            String deployment,
            String instanceName,
            @Nullable String az,
            String cpi,
            String name,
            Map<String, Object> options,
            @Nullable DiskCid copyOf) {
        /** A managed disk about which nothing more is said. */
        public Disk(
                DiskCid cid,
                @Nullable InstanceId instance,
                @Nullable VmCid attachedTo,
                long sizeMb,
                Map<String, Object> cloudProperties,
                String type,
                boolean active,
                @Nullable Instant orphanedAt,
                String deployment,
                String instanceName,
                @Nullable String az,
                String cpi) {
            this(
                    cid,
                    instance,
                    attachedTo,
                    sizeMb,
                    cloudProperties,
                    type,
                    active,
                    orphanedAt,
                    deployment,
                    instanceName,
                    az,
                    cpi,
                    "",
                    Map.of(),
                    null);
        }

        /** Null: attached to none. */
        public Disk heldBy(@Nullable VmCid vm) {
            return with(instance, vm, active, orphanedAt, copyOf);
        }

        /** Nobody's from now on, or since then. */
        public Disk orphaned(Instant at) {
            return with(null, null, false, at, null);
        }

        /** The live one of its name from now on. */
        public Disk live() {
            return with(instance, attachedTo, true, orphanedAt, null);
        }

        /** No longer the live one; its instance has still to let go of it. */
        public Disk former() {
            return with(instance, attachedTo, false, orphanedAt, null);
        }

        private Disk with(
                @Nullable InstanceId holder,
                @Nullable VmCid vm,
                boolean current,
                @Nullable Instant orphaned,
                @Nullable DiskCid original) {
            return new Disk(
                    cid,
                    holder,
                    vm,
                    sizeMb,
                    cloudProperties,
                    type,
                    current,
                    orphaned,
                    deployment,
                    instanceName,
                    az,
                    cpi,
                    name,
                    options,
                    original);
        }

        public Disk ofSize(long newSizeMb) {
            return as(newSizeMb, type, options, instanceName, az);
        }

        /**
         * @param newType name of the disk type; only its name may differ
         */
        public Disk as(long newSizeMb, String newType, Map<String, Object> newOptions) {
            return as(newSizeMb, newType, newOptions, instanceName, az);
        }

        /** Its instance has another name, or lives in another zone. */
        public Disk placed(String newInstanceName, @Nullable String newAz) {
            return as(sizeMb, type, options, newInstanceName, newAz);
        }

        private Disk as(
                long newSizeMb,
                String newType,
                Map<String, Object> newOptions,
                String newInstanceName,
                @Nullable String newAz) {
            return new Disk(
                    cid,
                    instance,
                    attachedTo,
                    newSizeMb,
                    cloudProperties,
                    newType,
                    active,
                    orphanedAt,
                    deployment,
                    newInstanceName,
                    newAz,
                    cpi,
                    name,
                    newOptions,
                    copyOf);
        }
    }

    /**
     * A snapshot of a disk, which cannot be deleted before it.
     *
     * @param instanceName {@code group/uuid} and {@code index} the disk belonged to then
     * @param clean nothing ran that could have written
     * @param consistency what may be relied on, for a person
     * @param origin {@code manual}, {@code schedule} or {@code backup}
     */
    public record Snapshot(
            SnapshotCid cid,
            DiskCid disk,
            String instanceName,
            int index,
            Instant createdAt,
            boolean clean,
            String consistency,
            String origin) {}

    /**
     * A backup of a deployment that is whole.
     *
     * @param location a file, or an s3 URL
     * @param content what it holds, without secrets: disks with their sizes and consistency
     * @param verifiedAt when it was restored last for a trial; null: never
     * @param verifyError what was wrong then; null: nothing
     */
    public record Backup(
            String id,
            String deployment,
            String location,
            Instant createdAt,
            long bytes,
            Map<String, Object> content,
            @Nullable Instant verifiedAt,
            @Nullable String verifyError) {}

    /** How many tasks of a type are in a state. */
    public record TaskCount(String type, String state, long count) {}

    /**
     * An alert.
     *
     * @param number never used again
     * @param state {@code open}, {@code acknowledged} or {@code resolved}
     * @param content the whole of it
     */
    public record Alert(
            long number, String state, Instant changedAt, Map<String, Object> content) {}

    /**
     * The certificate that an agent has for the bus, as far as is known.
     *
     * @param renewAt from when on it is to be made anew
     * @param signer names the CA that signed it
     * @param trust names all that the agent trusts
     * @param trouble why the last renewal failed; empty: it did not
     */
    public record AgentCertificate(
            AgentId agent,
            Instant endsAt,
            Instant renewAt,
            String signer,
            String trust,
            String trouble) {
        public AgentCertificate troubled(String why) {
            return new AgentCertificate(agent, endsAt, renewAt, signer, trust, why);
        }
    }

    /**
     * A notice of an alert on its way to one sink.
     *
     * @param notice names it among those of its sink
     * @param state {@code waiting}, {@code delivered} or {@code dropped}
     * @param dueAt not to be tried before
     * @param said what the other side said last, or why it is waited for
     */
    public record Delivery(
            long id,
            String sink,
            String notice,
            long alert,
            String state,
            Instant createdAt,
            long attempts,
            Instant dueAt,
            @Nullable Instant endedAt,
            String said,
            Map<String, Object> content) {
        /** After a try that failed. */
        public Delivery triedInVain(Instant next, String nowSaid) {
            return new Delivery(
                    id,
                    sink,
                    notice,
                    alert,
                    state,
                    createdAt,
                    attempts + 1,
                    next,
                    null,
                    nowSaid,
                    content);
        }

        /** It is over. */
        public Delivery ended(String nowState, Instant at, String nowSaid) {
            return new Delivery(
                    id,
                    sink,
                    notice,
                    alert,
                    nowState,
                    createdAt,
                    attempts + 1,
                    dueAt,
                    at,
                    nowSaid,
                    content);
        }
    }

    /** An address given out; unique over the whole director by address. */
    public record Ip(String address, String network, InstanceId instance, boolean isStatic) {}

    /** One value of a variable; the newest of a name is current. {@code sealed} is ciphertext. */
    public record Variable(long id, String name, String type, String sealed, Instant createdAt) {}

    /**
     * A task.
     *
     * @param payload all that is needed to run it again after a crash; holds no secret in clear
     * @param startedAt null while queued
     * @param finishedAt null until it has ended
     */
    public record Task(
            long id,
            String type,
            String state,
            String description,
            String user,
            @Nullable String deployment,
            String contextId,
            Map<String, Object> payload,
            Instant queuedAt,
            @Nullable Instant startedAt,
            @Nullable Instant finishedAt,
            @Nullable String result) {
        /** The same task, further on. */
        public Task in(
                String newState,
                @Nullable Instant started,
                @Nullable Instant finished,
                @Nullable String newResult) {
            return new Task(
                    id,
                    type,
                    newState,
                    description,
                    user,
                    deployment,
                    contextId,
                    payload,
                    queuedAt,
                    started,
                    finished,
                    newResult);
        }
    }

    /**
     * An entry of the journal (rule R4): written before the act, ended after it.
     *
     * @param outcome null while open
     */
    public record Intent(
            IntentId id,
            long task,
            @Nullable InstanceId instance,
            String kind,
            Map<String, Object> payload,
            Instant begunAt,
            @Nullable Instant endedAt,
            @Nullable String outcome) {}

    /** An audit event. */
    public record Event(
            long id,
            @Nullable Long parent,
            Instant at,
            String user,
            String action,
            String objectType,
            @Nullable String objectName,
            @Nullable Long task,
            @Nullable String deployment,
            @Nullable String instance,
            @Nullable String error,
            Map<String, Object> context) {}
}
