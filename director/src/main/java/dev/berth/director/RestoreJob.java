package dev.berth.director;

import dev.berth.backup.BackupKey;
import dev.berth.backup.BackupReader;
import dev.berth.backup.TreeDigest;
import dev.berth.backup.TreeEntry;
import dev.berth.model.BackupHooks;
import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import dev.berth.wire.AgentState;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code restore_deployment} and {@code verify_backup}: the data of a backup on new disks, filled
 * and compared beside the running ones, which become orphans in the end: nothing is ever written
 * over. A trial does the same in a deployment of its own, which it deletes afterwards.
 */
final class RestoreJob {
    static final String RESTORE = "restore_deployment";
    static final String VERIFY = "verify_backup";
    private static final String SWAP = "swap restored disks";
    private static final Duration WELL = Duration.ofMinutes(5);
    private static final Duration LOOK = Duration.ofMillis(500);

    private final Hands hands;
    private final Tasks tasks;
    private final OrphanedDisks orphans;
    private final Variables variables;
    private final BackupPlaces places;

    RestoreJob(
            Hands hands,
            Tasks tasks,
            OrphanedDisks orphans,
            Variables variables,
            BackupPlaces places) {
        this.hands = hands;
        this.tasks = tasks;
        this.orphans = orphans;
        this.variables = variables;
        this.places = places;
    }

    TaskJob restore(Map<String, Object> payload) {
        Fields wish = Fields.of(payload, "payload");
        return task -> {
            var run = new Run(task, wish.string("backup"), wish.string("deployment"));
            List<Fields> disks = run.check();
            if (hands.store().read(s -> s.deployment(run.deployment)).isEmpty()) {
                run.deploy(RestoredManifest.named(run.head().string("manifest"), run.deployment));
            }
            hands.trail()
                    .around(
                            task,
                            new AuditTrail.Act(
                                    "restore",
                                    "deployment",
                                    run.deployment,
                                    null,
                                    Map.of("backup", run.found.id())),
                            () -> {
                                run.fill(disks);
                                run.swap();
                                return run.deployment;
                            });
            return "backup " + run.found.id() + " restored into deployment " + run.deployment;
        };
    }

    TaskJob verify(Map<String, Object> payload) {
        Fields wish = Fields.of(payload, "payload");
        return task -> {
            var run = new Run(task, wish.string("backup"), "berth-verify-" + task.id());
            String error = null;
            try {
                List<Fields> disks = run.check();
                String manifest = run.head().string("manifest");
                run.deploy(RestoredManifest.forTrial(manifest, run.deployment));
                run.fill(disks);
                run.swap();
                run.proofs(manifest);
            } catch (TaskCancelled | DirectorStopping | InterruptedException e) {
                throw e;
            } catch (Exception e) {
                error = task.log().redacted(Failures.message(e));
                throw e;
            } finally {
                run.discardAll();
                run.record(error);
            }
            return "backup " + run.found.id() + " was restored for a trial, whole";
        };
    }

    /** One restore. */
    private final class Run {
        private final TaskContext task;
        private final String deployment;
        private final BackupPlaces.Found found;
        private final BackupKey key;
        private final AsideDisks aside;
        private final DeploymentLock lock;
        private final List<RestoredDisk> restored = new ArrayList<>();

        /** What each disk was filled with, as a digest of its entries. */
        private final Map<DiskCid, String> filled = new HashMap<>();

        private @Nullable Fields head;

        Run(TaskContext task, String backup, String deployment) throws IOException {
            this.task = task;
            this.deployment = deployment;
            this.found = places.find(hands.store(), backup);
            this.key = places.key();
            this.aside = new AsideDisks(hands, task, orphans);
            this.lock = new DeploymentLock(task, hands.clock(), deployment);
        }

        Fields head() {
            if (head == null) {
                throw new IllegalStateException("not read yet");
            }
            return head;
        }

        /** All of it is read and found whole before anything is touched. */
        List<Fields> check() throws Exception {
            var disks = new ArrayList<Fields>();
            task.log()
                    .stage("Checking backup", List.of(), 1)
                    .step(
                            found.id(),
                            step -> {
                                long size = found.row().map(r -> tarBytes(r)).orElse(0L);
                                var progress = new BackupProgress(hands.clock(), step, size);
                                try (BackupReader reader = found.open(key)) {
                                    head = reader.head();
                                    hideSecrets(reader.head());
                                    reader.read(
                                            new BackupReader.Visitor() {
                                                @Override
                                                public void begin(Fields about) {
                                                    disks.add(about);
                                                }

                                                @Override
                                                public void data(byte[] tar) {
                                                    task.checkCancelled();
                                                    progress.add(tar.length);
                                                }
                                            });
                                }
                            });
            return disks;
        }

        private static long tarBytes(Rows.Backup row) {
            return Fields.of(row.content(), "content").objects("disks").stream()
                    .mapToLong(d -> d.integer("bytes", 0))
                    .sum();
        }

        private void hideSecrets(Fields read) {
            for (Fields v : read.objects("variables")) {
                Object value = Json.object(v.string("sealed")).get("value");
                if (value instanceof String text) {
                    task.log().hide(text);
                }
            }
        }

        /** Makes the deployment, by a task of its own, and waits for it. */
        void deploy(String manifest) throws Exception {
            variables.imported(deployment, head().objects("variables"));
            Map<String, Object> payload =
                    Json.of(
                            "deployment",
                            deployment,
                            "manifest",
                            manifest,
                            "options",
                            Map.of(),
                            "context",
                            DeployRequest.currentContext(hands.store()));
            task.log()
                    .stage("Creating deployment", List.of(), 1)
                    .step(
                            deployment,
                            step -> {
                                Rows.Task deploy =
                                        tasks.enqueue(
                                                DeploymentsApi.UPDATE,
                                                "create deployment",
                                                task.user(),
                                                deployment,
                                                "",
                                                payload);
                                awaitTask(deploy.id());
                            });
        }

        private void awaitTask(long id) throws InterruptedException {
            while (true) {
                Rows.Task now = hands.store().read(s -> s.task(id)).orElseThrow();
                if (now.finishedAt() != null) {
                    if (!now.state().equals("done")) {
                        throw new ProblemException(
                                450001,
                                "task " + id + " ended with " + now.state() + ": " + now.result());
                    }
                    return;
                }
                if (task.cancelled()) {
                    tasks.cancel(id);
                }
                hands.clock().sleep(LOOK);
            }
        }

        private Rows.Instance instance(Fields about) {
            return hands.store().read(s -> s.instances(deployment)).stream()
                    .filter(i -> i.group().equals(about.string("group")))
                    .filter(i -> i.index() == about.integer("index"))
                    .findFirst()
                    .orElseThrow(() ->
                            new ProblemException(
                                    70001,
                                    "deployment "
                                            + deployment
                                            + " has no instance "
                                            + about.string("group")
                                            + "/"
                                            + about.integer("index")
                                            + ", which the backup has; deploy its manifest first"));
        }

        private Rows.Vm vm(Rows.Instance instance) {
            return hands.store()
                    .read(s -> s.activeVm(instance.id()))
                    .orElseThrow(() ->
                            new ProblemException(
                                    70013,
                                    instance.group()
                                            + "/"
                                            + instance.index()
                                            + " has no VM; start it first"));
        }

        private Rows.Disk disk(Rows.Instance instance, String name) {
            return hands.store().read(s -> s.disks(instance.id())).stream()
                    .filter(d -> d.active() && d.name().equals(name))
                    .findFirst()
                    .orElseThrow(() ->
                            new ProblemException(
                                    520000,
                                    instance.group()
                                            + "/"
                                            + instance.index()
                                            + " has no persistent disk"
                                            + (name.isEmpty() ? "" : " '" + name + "'")
                                            + ", which the backup has; deploy its manifest first"));
        }

        /** Fills new disks beside the running ones, and compares every file. */
        void fill(List<Fields> disks) throws Exception {
            lock.held(() -> {
                new Settlement(hands).settle(task.id(), deployment);
                aside.destroyLeftOver();
                for (Fields about : disks) {
                    if (!isSwapped(instance(about), about.string("name", ""))) {
                        prepare(about);
                    }
                }
                return true;
            });
            TaskLog.Stage stage = task.log().stage("Filling disks", List.of(), restored.size());
            for (RestoredDisk one : restored) {
                stage.step(name(one), step -> fill(one, step));
            }
            TaskLog.Stage comparing =
                    task.log().stage("Comparing every file", List.of(), restored.size());
            for (RestoredDisk one : restored) {
                comparing.step(
                        name(one),
                        step -> {
                            var progress =
                                    new BackupProgress(hands.clock(), step, bytes(one.about()));
                            one.compare(
                                    hands,
                                    Objects.requireNonNull(filled.get(one.disk().cid())),
                                    () -> found.open(key),
                                    progress,
                                    task::checkCancelled);
                        });
            }
        }

        private static String name(RestoredDisk one) {
            return one.instance().group() + "/" + one.instance().id();
        }

        private void prepare(Fields about) {
            Rows.Instance instance = instance(about);
            Rows.Vm vm = vm(instance);
            Rows.Disk old = disk(instance, about.string("name", ""));
            long size = Math.max(old.sizeMb(), about.integer("size_mb"));
            Rows.Disk fresh = aside.blank(instance, size, old, vm.cid());
            aside.attach(fresh, vm);
            restored.add(new RestoredDisk(about, instance, vm, fresh));
        }

        private long bytes(Fields about) {
            return found.row().stream()
                    .flatMap(r -> Fields.of(r.content(), "content").objects("disks").stream())
                    .filter(d -> d.string("disk", "").equals(about.string("disk")))
                    .mapToLong(d -> d.integer("bytes", 0))
                    .findFirst()
                    .orElse(0);
        }

        private void fill(RestoredDisk one, TaskLog.StepLog step) throws IOException {
            var digest = new TreeDigest();
            var progress = new BackupProgress(hands.clock(), step, bytes(one.about()));
            try (BackupReader reader = found.open(key);
                    DiskTar.Fill fill =
                            DiskTar.Fill.open(hands, one.vm(), one.disk().cid().value())) {
                reader.read(
                        new BackupReader.Visitor() {
                            private boolean ours;

                            @Override
                            public void begin(Fields about) {
                                ours = one.isOf(about);
                            }

                            @Override
                            public void data(byte[] tar) throws IOException {
                                task.checkCancelled();
                                if (ours) {
                                    fill.write(tar);
                                    progress.add(tar.length);
                                }
                            }

                            @Override
                            public void entry(TreeEntry entry) {
                                if (ours) {
                                    digest.add(entry);
                                }
                            }
                        });
                fill.finish(task::checkCancelled);
                filled.put(one.disk().cid(), digest.take());
            }
        }

        private boolean isSwapped(Rows.Instance instance, String disk) {
            return hands.store().read(s -> s.intents(task.id())).stream()
                    .anyMatch(i ->
                            i.kind().equals(SWAP)
                                    && disk.equals(i.payload().get("name"))
                                    && instance.id().equals(i.instance())
                                    && Journal.DONE.equals(i.outcome()));
        }

        /** Each instance stops for as long as it takes to mount the other disk. */
        void swap() throws Exception {
            TaskLog.Stage stage =
                    task.log().stage("Changing to restored disks", List.of(), restored.size());
            for (RestoredDisk one : restored) {
                stage.step(
                        name(one),
                        step ->
                                lock.held(() -> {
                                    swap(one);
                                    return true;
                                }));
            }
        }

        private void call(Rows.Vm vm, String method, Object... arguments) {
            Object ignored =
                    hands.agents()
                            .call(vm.agent(), method, List.of(arguments), hands.patience().stop());
        }

        private void swap(RestoredDisk one) throws InterruptedException {
            Rows.Instance instance =
                    hands.store().read(s -> s.instance(one.instance().id())).orElseThrow();
            Rows.Vm vm = vm(instance);
            if (!vm.cid().equals(one.vm().cid())) {
                throw new ProblemException(
                        450001,
                        "the VM of " + name(one) + " was replaced meanwhile; restore again");
            }
            Rows.Disk old = disk(instance, one.disk().name());
            call(vm, "stop");
            call(vm, "unmount_disk", old.cid().value());
            aside.detach(old.cid());
            IntentId intent =
                    hands.journal()
                            .begin(
                                    task.id(),
                                    instance.id(),
                                    SWAP,
                                    Json.of(
                                            "name",
                                            old.name(),
                                            "old",
                                            old.cid().value(),
                                            "new",
                                            one.disk().cid().value()),
                                    session -> {});
            Instant now = hands.clock().now();
            hands.journal()
                    .end(
                            intent,
                            Journal.DONE,
                            s -> {
                                s.saveDisk(old.orphaned(now));
                                s.saveDisk(live(old, one.disk(), instance, vm.cid()));
                            });
            call(vm, "mount_disk", one.disk().cid().value());
            if (instance.state().equals("started")) {
                call(vm, "start");
                awaitWell(vm, name(one));
            }
        }

        private static Rows.Disk live(
                Rows.Disk old, Rows.Disk fresh, Rows.Instance instance, VmCid vm) {
            return new Rows.Disk(
                    fresh.cid(),
                    instance.id(),
                    vm,
                    fresh.sizeMb(),
                    old.cloudProperties(),
                    old.type(),
                    true,
                    null,
                    old.deployment(),
                    old.instanceName(),
                    old.az(),
                    old.cpi(),
                    old.name(),
                    old.options(),
                    null);
        }

        private void awaitWell(Rows.Vm vm, String name) throws InterruptedException {
            Instant giveUp = hands.clock().now().plus(WELL);
            while (true) {
                Object state =
                        hands.agents()
                                .call(
                                        vm.agent(),
                                        "get_state",
                                        List.of(),
                                        hands.patience().agentCall());
                if ("running".equals(AgentState.fromTree(state).jobState())) {
                    return;
                }
                if (hands.clock().now().isAfter(giveUp)) {
                    throw new ProblemException(
                            400007,
                            name
                                    + " has its restored disk, and its containers do not run with"
                                    + " it; see: berth why");
                }
                hands.clock().sleep(LOOK);
            }
        }

        /** What containers themselves say of the data they were given. */
        void proofs(String manifest) throws Exception {
            for (RestoredDisk one : restored) {
                var hooks = BackupHookRun.ofGroup(manifest, one.instance().group());
                var runner = new BackupHookRun(hands, task, one.instance());
                for (var hook : hooks.entrySet()) {
                    BackupHooks of = hook.getValue();
                    List<String> command = of.verify();
                    if (command != null) {
                        task.log()
                                .stage("Asking containers", List.of(), 1)
                                .step(
                                        hook.getKey(),
                                        step ->
                                                runner.run(
                                                        one.vm(),
                                                        hook.getKey(),
                                                        "verify",
                                                        command,
                                                        of.limit()));
                    }
                }
            }
        }

        /** The deployment of a trial and all its disks. */
        void discardAll() throws Exception {
            if (hands.store().read(s -> s.deployment(deployment)).isEmpty()) {
                return;
            }
            task.log()
                    .stage("Removing the trial", List.of(), 1)
                    .step(
                            deployment,
                            step -> {
                                Rows.Task deletion =
                                        tasks.enqueue(
                                                DeploymentsApi.DELETE,
                                                "delete deployment " + deployment,
                                                task.user(),
                                                deployment,
                                                "",
                                                Json.of(
                                                        "deployment",
                                                        deployment,
                                                        "options",
                                                        Json.of("force", true)));
                                awaitTask(deletion.id());
                                for (Rows.Disk disk : hands.store().read(s -> s.orphanedDisks())) {
                                    if (disk.deployment().equals(deployment)) {
                                        discard(disk.cid());
                                    }
                                }
                            });
        }

        private void discard(DiskCid cid) {
            aside.detach(cid);
            orphans.destroyOwn(task, cid);
        }

        void record(@Nullable String error) {
            Optional<Rows.Backup> row = found.row();
            Instant now = hands.clock().now();
            row.ifPresent(r ->
                    hands.store()
                            .update(s ->
                                    s.saveBackup(
                                            new Rows.Backup(
                                                    r.id(),
                                                    r.deployment(),
                                                    r.location(),
                                                    r.createdAt(),
                                                    r.bytes(),
                                                    r.content(),
                                                    error == null ? now : r.verifiedAt(),
                                                    error))));
        }
    }
}
