package dev.berth.director;

import dev.berth.backup.BackupPlace;
import dev.berth.backup.BackupWriter;
import dev.berth.cpi.CpiException;
import dev.berth.model.Digests;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code backup_deployment}: what a deployment is and the data of all its disks, into one sealed
 * file. Each disk is read from a copy of its snapshot, beside the running containers; clouds
 * without snapshots have the containers of one instance after another stopped while its disk is
 * read.
 */
final class BackupJob {
    static final String TASK = "backup_deployment";
    private static final String ORIGIN = "backup";

    private final Hands hands;
    private final OrphanedDisks orphans;
    private final Variables variables;
    private final BackupPlaces places;

    BackupJob(Hands hands, OrphanedDisks orphans, Variables variables, BackupPlaces places) {
        this.hands = hands;
        this.orphans = orphans;
        this.variables = variables;
        this.places = places;
    }

    TaskJob job(Map<String, Object> payload) {
        return task -> new Run(task, Fields.of(payload, "payload")).run();
    }

    /** One backup. */
    private final class Run {
        private final TaskContext task;
        private final String deployment;
        private final String id;
        private final String to;
        private final String origin;
        private final String due;
        private final AsideDisks aside;
        private final DeploymentLock lock;
        private final List<Map<String, Object>> contents = new ArrayList<>();

        Run(TaskContext task, Fields payload) {
            this.task = task;
            this.deployment = payload.string("deployment");
            this.id = payload.string("id");
            this.to = payload.string("to", "");
            this.origin = payload.string("origin", BackupKeeper.MANUAL);
            this.due = payload.string("due", "");
            this.aside = new AsideDisks(hands, task, orphans);
            this.lock = new DeploymentLock(task, hands.clock(), deployment);
        }

        String run() throws Exception {
            BackupPlace place = places.at(to);
            Rows.Deployment row =
                    hands.store()
                            .read(s -> s.deployment(deployment))
                            .filter(d -> d.manifest() != null)
                            .orElseThrow(Converge::neverDeployed);
            cleanUp();
            place.sweep(other -> !other.equals(id));
            hands.trail()
                    .around(
                            task,
                            new AuditTrail.Act("create", "backup", id, null, Map.of("to", to)),
                            () -> {
                                write(place, row);
                                return id;
                            });
            return "backup " + id + " created";
        }

        /** What an earlier run of this task left when its director died. */
        private void cleanUp() throws Exception {
            lock.held(() -> {
                new Settlement(hands).settle(task.id(), deployment);
                aside.destroyLeftOver();
                hands.store().read(s -> s.snapshotsOf(deployment)).stream()
                        .filter(s -> s.origin().equals(ORIGIN))
                        .forEach(s -> Snapshots.destroy(hands, task, s.cid()));
                return true;
            });
        }

        private void write(BackupPlace place, Rows.Deployment row) throws Exception {
            List<Rows.Instance> instances =
                    hands.store().read(s -> s.instances(deployment)).stream()
                            .filter(i -> !disks(i).isEmpty())
                            .toList();
            instances.forEach(this::requireFileSystems);
            TaskLog.Stage stage = task.log().stage("Backing up", List.of(), instances.size());
            try (BackupPlace.Sink sink = place.create(id)) {
                try (var writer = new BackupWriter(sink.out(), places.key(), head(row))) {
                    for (Rows.Instance instance : instances) {
                        stage.step(
                                instance.group() + "/" + instance.id(),
                                step -> instance(writer, instance, step));
                    }
                    writer.finish();
                }
                task.checkCancelled();
                sink.commit();
                keep(place, sink.bytes());
            }
        }

        private void keep(BackupPlace place, long bytes) {
            Map<String, Object> content = Json.of("to", to, "disks", contents, "origin", origin);
            if (!due.isEmpty()) {
                content.put("due", due);
            }
            hands.store()
                    .update(s ->
                            s.saveBackup(
                                    new Rows.Backup(
                                            id,
                                            deployment,
                                            place.location(id),
                                            hands.clock().now(),
                                            bytes,
                                            content,
                                            null,
                                            null)));
        }

        /** Of a raw device nobody but its container knows what belongs to it. */
        private void requireFileSystems(Rows.Instance instance) {
            for (Rows.Disk disk : disks(instance)) {
                if (DiskRecords.isRaw(disk)) {
                    throw new ProblemException(
                            520000,
                            "disk '"
                                    + disk.name()
                                    + "' of "
                                    + instance.group()
                                    + "/"
                                    + instance.index()
                                    + " is raw and holds no files that could be backed up;"
                                    + " take snapshots of it");
                }
            }
        }

        private List<Rows.Disk> disks(Rows.Instance instance) {
            return hands.store().read(s -> s.disks(instance.id())).stream()
                    .filter(Rows.Disk::active)
                    .toList();
        }

        /** All that another director needs to make the same; holds secrets, and so is sealed. */
        private Map<String, Object> head(Rows.Deployment row) {
            List<String> clouds =
                    row.cloudConfigIds().stream()
                            .flatMap(i -> hands.store().read(s -> s.config(i)).stream())
                            .map(Rows.Config::content)
                            .toList();
            var images = new ArrayList<Object>();
            for (Rows.Instance instance : hands.store().read(s -> s.instances(deployment))) {
                for (Object container :
                        Json.asList(instance.spec().getOrDefault("containers", List.of()))) {
                    images.add(Json.of("group", instance.group(), "container", container));
                }
            }
            return Json.of(
                    "format",
                    1,
                    "id",
                    id,
                    "created_at",
                    hands.clock().now().toString(),
                    "director",
                    hands.directorName(),
                    "deployment",
                    deployment,
                    "manifest",
                    row.manifest(),
                    "cloud_configs",
                    clouds,
                    "stemcells",
                    row.stemcells(),
                    "variables",
                    variables.exported(deployment),
                    "images",
                    images);
        }

        private void instance(BackupWriter writer, Rows.Instance instance, TaskLog.StepLog step)
                throws Exception {
            Rows.Vm vm =
                    hands.store()
                            .read(s -> s.activeVm(instance.id()))
                            .orElseThrow(() ->
                                    new ProblemException(
                                            70013,
                                            instance.group()
                                                    + "/"
                                                    + instance.id()
                                                    + " has no VM to read its disk in; start it"
                                                    + " first"));
            var copies = new HashMap<String, Rows.Disk>();
            List<Rows.Snapshot> taken;
            try {
                phase("copy the disk");
                try {
                    taken = lock.held(() -> copies(instance, vm, copies));
                } catch (CpiException e) {
                    if (e.type() != CpiException.Type.NOT_IMPLEMENTED
                            && e.type() != CpiException.Type.NOT_SUPPORTED) {
                        throw e;
                    }
                    task.log()
                            .warning(
                                    "this CPI makes no copies of disks: the containers of "
                                            + instance.group()
                                            + "/"
                                            + instance.id()
                                            + " are stopped while its disk is read");
                    lock.held(() -> {
                        stopped(writer, instance, vm, step);
                        return true;
                    });
                    return;
                }
                phase("read and write");
                for (Rows.Snapshot snapshot : taken) {
                    Rows.Disk copy =
                            Optional.ofNullable(copies.get(snapshot.disk().value())).orElseThrow();
                    read(
                            writer,
                            instance,
                            vm,
                            snapshot.disk().value(),
                            copy.cid().value(),
                            Json.of("of", snapshot.disk().value()),
                            snapshot.consistency(),
                            step);
                }
            } finally {
                phase("let go of the copy");
                lock.held(() -> {
                    copies.values().forEach(c -> aside.destroy(c.cid()));
                    hands.store().read(s -> s.snapshotsOf(deployment)).stream()
                            .filter(s -> s.origin().equals(ORIGIN))
                            .forEach(s -> Snapshots.destroy(hands, task, s.cid()));
                    return true;
                });
            }
        }

        /** In the debug log, where measurements look for it. */
        private void phase(String name) {
            task.log().debug("backup=" + id + " step='" + name + "'");
        }

        private List<Rows.Snapshot> copies(
                Rows.Instance instance, Rows.Vm vm, Map<String, Rows.Disk> copies) {
            List<Rows.Snapshot> taken = new InstanceSnapshot(hands, task, instance, ORIGIN).take();
            for (Rows.Snapshot snapshot : taken) {
                Rows.Disk disk = hands.store().read(s -> s.disk(snapshot.disk())).orElseThrow();
                Rows.Disk copy = aside.ofSnapshot(instance, disk, snapshot.cid(), vm.cid());
                copies.put(disk.cid().value(), copy);
                aside.attach(copy, vm);
            }
            return taken;
        }

        private void stopped(
                BackupWriter writer, Rows.Instance instance, Rows.Vm vm, TaskLog.StepLog step)
                throws Exception {
            hands.agents().call(vm.agent(), "stop", List.of(), hands.patience().stop());
            try {
                for (Rows.Disk disk : disks(instance)) {
                    String cid = disk.cid().value();
                    read(
                            writer,
                            instance,
                            vm,
                            cid,
                            cid,
                            Json.of("live", true),
                            InstanceSnapshot.STOPPED,
                            step);
                }
            } finally {
                if (instance.state().equals("started")) {
                    hands.agents().call(vm.agent(), "start", List.of(), hands.patience().stop());
                }
            }
        }

        private void read(
                BackupWriter writer,
                Rows.Instance instance,
                Rows.Vm vm,
                String disk,
                String from,
                Map<String, Object> how,
                String consistency,
                TaskLog.StepLog step)
                throws IOException {
            Rows.Disk row =
                    hands.store()
                            .read(s -> s.disk(new dev.berth.model.DiskCid(disk)))
                            .orElseThrow();
            Map<String, Object> about =
                    Json.of(
                            "group",
                            instance.group(),
                            "index",
                            instance.index(),
                            "instance",
                            instance.id().value(),
                            "disk",
                            disk,
                            "size_mb",
                            row.sizeMb(),
                            "name",
                            row.name(),
                            "type",
                            row.type(),
                            "cloud_properties",
                            row.cloudProperties(),
                            "consistency",
                            consistency);
            try (DiskTar tar = DiskTar.open(hands, vm, from, how, task::checkCancelled)) {
                var progress = new BackupProgress(hands.clock(), step, tar.usedBytes());
                BackupWriter.Written written = writer.disk(about, new Counted(tar, progress));
                about.put("entries", written.entries());
                about.put("bytes", written.bytes());
                contents.add(about);
                step.progress(
                        100,
                        written.bytes() / (1 << 20)
                                + " MiB in "
                                + written.entries()
                                + " entries; "
                                + consistency);
            }
        }
    }

    /** Tells the progress what passes. */
    static final class Counted extends FilterInputStream {
        private final BackupProgress progress;

        Counted(InputStream in, BackupProgress progress) {
            super(in);
            this.progress = progress;
        }

        @Override
        public int read() throws IOException {
            int b = super.read();
            progress.add(b < 0 ? 0 : 1);
            return b;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int n = super.read(into, offset, length);
            progress.add(Math.max(0, n));
            return n;
        }
    }

    /** Sorts by time and tells apart what begins in one second. */
    static String newId(String deployment, java.time.Instant now, String random) {
        String time =
                now.truncatedTo(java.time.temporal.ChronoUnit.SECONDS)
                        .toString()
                        .replaceAll("[-:]", "");
        return deployment + "-" + time + "-" + Digests.sha256(random).substring(0, 4);
    }
}
