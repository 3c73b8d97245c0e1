package dev.berth.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store promises, whatever database it stands on. */
abstract class StoreContract {
    static final Instant T0 = Instant.ofEpochMilli(1_700_000_000_123L);
    private static final String ODD = "naïve 漢字 🚢 'quote' \"double\" \\ % _";

    private Store store;

    /** An empty store of its own for each test. */
    abstract Store open();

    @BeforeEach
    void openStore() {
        store = open();
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    final Store store() {
        return store;
    }

    static <T> Optional<T> found(Store store, Function<StoreSession, Optional<T>> block) {
        return store.read(block);
    }

    static <T> List<T> listed(Store store, Function<StoreSession, List<T>> block) {
        return store.read(block);
    }

    @Test
    void settingsAreKeptAndReplaced() {
        store.update(s -> s.putSetting("uuid", "a"));
        store.update(s -> s.putSetting("uuid", "b"));
        assertThat(found(store, s -> s.setting("uuid"))).contains("b");
        assertThat(found(store, s -> s.setting("other"))).isEmpty();
    }

    @Test
    void anExceptionInABlockUndoesAllOfIt() {
        assertThatThrownBy(() ->
                        store.update(s -> {
                            s.putSetting("half", "done");
                            s.saveDeployment(deployment("shop"));
                            throw new IllegalArgumentException("stop");
                        }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("stop");
        assertThat(found(store, s -> s.setting("half"))).isEmpty();
        assertThat(listed(store, StoreSession::deployments)).isEmpty();
        store.update(s -> s.putSetting("half", "again"));
        assertThat(found(store, s -> s.setting("half"))).contains("again");
    }

    @Test
    void aBlockSeesItsOwnWrites() {
        assertThat(
                        store.<Boolean>write(s -> {
                            s.putSetting("k", "v");
                            return s.setting("k").isPresent();
                        }))
                .isTrue();
    }

    @Test
    void aBlockMayNotCallTheStoreAgain() {
        assertThatThrownBy(() -> store.write(s -> store.read(t -> t.setting("k"))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("must not call the store again");
    }

    @Test
    void aConfigGetsANewVersionOnlyWhenItChanges() {
        Rows.Config first = store.write(s -> s.saveConfig("cloud", "default", "azs: []", T0));
        Rows.Config same =
                store.write(s -> s.saveConfig("cloud", "default", "azs: []", T0.plusSeconds(9)));
        Rows.Config second = store.write(s -> s.saveConfig("cloud", "default", "azs: [1]", T0));
        assertThat(same).isEqualTo(first);
        assertThat(second.id()).isGreaterThan(first.id());
        assertThat(found(store, s -> s.config(first.id()))).contains(first);
        assertThat(first.createdAt()).isEqualTo(T0);
    }

    @Test
    void configsComeDefaultFirstAndNewestFirstWithinAName() {
        store.update(s -> {
            s.saveConfig("cloud", "a", "a1", T0);
            s.saveConfig("cloud", "default", "d1", T0);
            s.saveConfig("cloud", "default", "d2", T0);
            s.saveConfig("cloud", "default", "d3", T0);
            s.saveConfig("cloud", "z", "z1", T0);
            s.saveConfig("runtime", "default", "r1", T0);
        });
        assertThat(contents("cloud", null, false, 2)).containsExactly("d3", "d2", "a1", "z1");
        assertThat(contents(null, "default", true, 9)).containsExactly("d3", "r1");
        assertThat(contents(null, null, true, 1)).containsExactly("d3", "a1", "z1", "r1");
        long d3 = store.read(s -> s.configs("cloud", "default", true, 1)).getFirst().id();
        assertThat(store.<Boolean>write(s -> s.deleteConfig(d3))).isTrue();
        assertThat(store.<Boolean>write(s -> s.deleteConfig(d3))).isFalse();
        assertThat(contents("cloud", "default", true, 1)).containsExactly("d2");
        assertThat(store.<Integer>write(s -> s.deleteConfigs("cloud", "default"))).isEqualTo(2);
        assertThat(contents("cloud", "default", false, 9)).isEmpty();
        assertThat(found(store, s -> s.config(d3)))
                .hasValueSatisfying(c -> assertThat(c.deleted()).isTrue());
    }

    private List<String> contents(
            @Nullable String type, @Nullable String name, boolean currentOnly, int limit) {
        return store.read(s -> s.configs(type, name, currentOnly, limit)).stream()
                .map(Rows.Config::content)
                .toList();
    }

    @Test
    void aStemcellIsOneByNameVersionAndCpi() {
        var row =
                new Rows.Stemcell(0, "berth-debian", "debian", "1.2", new StemcellCid("i1"), "", 2);
        Rows.Stemcell first = store.write(s -> s.saveStemcell(row));
        Rows.Stemcell again =
                store.write(s ->
                        s.saveStemcell(
                                new Rows.Stemcell(
                                        0,
                                        "berth-debian",
                                        "debian",
                                        "1.2",
                                        new StemcellCid("i2"),
                                        "",
                                        2)));
        assertThat(again.id()).isEqualTo(first.id());
        assertThat(listed(store, StoreSession::stemcells)).containsExactly(again);
        store.update(s -> s.deleteStemcell(first.id()));
        assertThat(listed(store, StoreSession::stemcells)).isEmpty();
    }

    @Test
    void rowsComeBackAsTheyWereWrittenUnicodeAndBigManifestsIncluded() {
        String manifest = ODD + "\n" + "# 漢字 ".repeat(600_000);
        var deployment =
                new Rows.Deployment(
                        "shop",
                        manifest,
                        List.of(3L, 4L),
                        List.of("berth-debian/1"),
                        List.of("docker/36"),
                        Json.of("owner", ODD, "none", null, "deep", Json.of("n", 1L, "f", 1.5)),
                        T0);
        Rows.Instance instance = instance("shop", "db", 0);
        Rows.Vm vm = vm(instance, "agent-1");
        Rows.Disk disk = disk("disk-1", instance, vm.cid());
        store.update(s -> {
            s.saveDeployment(deployment);
            s.saveInstance(instance);
            s.saveVm(vm);
            s.saveDisk(disk);
        });
        assertThat(found(store, s -> s.deployment("shop"))).contains(deployment);
        assertThat(found(store, s -> s.instance(instance.id()))).contains(instance);
        assertThat(found(store, s -> s.vm(vm.agent()))).contains(vm);
        assertThat(found(store, s -> s.disk(disk.cid()))).contains(disk);
    }

    @Test
    void savingAgainReplaces() {
        Rows.Instance instance = instance("shop", "db", 0);
        Rows.Vm vm = vm(instance, "agent-1");
        var stopped =
                new Rows.Instance(
                        instance.id(),
                        "shop",
                        "db",
                        7,
                        null,
                        "stopped",
                        false,
                        true,
                        false,
                        Map.of(),
                        T0);
        var inactive =
                new Rows.Vm(
                        vm.agent(),
                        new VmCid("other"),
                        vm.instance(),
                        "c",
                        Map.of(),
                        false,
                        true,
                        T0);
        store.update(s -> {
            s.saveDeployment(deployment("shop"));
            s.saveInstance(instance);
            s.saveVm(vm);
            s.saveInstance(stopped);
            s.saveVm(inactive);
        });
        assertThat(listed(store, s -> s.instances("shop"))).containsExactly(stopped);
        assertThat(listed(store, s -> s.vms(instance.id()))).containsExactly(inactive);
    }

    @Test
    void instancesAndTheirVmsComeByGroupThenIndex() {
        store.update(s -> {
            s.saveDeployment(deployment("shop"));
            s.saveDeployment(deployment("attic"));
            for (String place : List.of("web/10", "web/9", "db/0")) {
                String[] parts = place.split("/", -1);
                Rows.Instance instance = instance("shop", parts[0], Integer.parseInt(parts[1]));
                s.saveInstance(instance);
                s.saveVm(vm(instance, "agent " + place));
            }
            s.saveInstance(instance("attic", "zoo", 0));
        });
        assertThat(listed(store, s -> s.instances("shop")))
                .extracting(i -> i.group() + "/" + i.index())
                .containsExactly("db/0", "web/9", "web/10");
        assertThat(listed(store, s -> s.instances(null)))
                .extracting(Rows.Instance::deployment)
                .containsExactly("attic", "shop", "shop", "shop");
        assertThat(listed(store, s -> s.vmsOf("shop")))
                .extracting(v -> v.agent().value())
                .containsExactly("agent db/0", "agent web/9", "agent web/10");
        assertThat(listed(store, s -> s.vmsOf("attic"))).isEmpty();
        assertThat(listed(store, s -> s.vmsOf(null))).hasSize(3);
        assertThat(listed(store, s -> s.vms(null))).hasSize(3);
    }

    @Test
    void whatIsStillUsedCannotBeDeleted() {
        Rows.Instance instance = instance("shop", "db", 0);
        Rows.Vm vm = vm(instance, "agent-1");
        store.update(s -> {
            s.saveDeployment(deployment("shop"));
            s.saveInstance(instance);
            s.saveVm(vm);
            s.saveDisk(disk("disk-1", instance, vm.cid()));
            s.reserveIp(new Rows.Ip("10.0.0.5", "default", instance.id(), true));
        });
        refuses(s -> s.deleteDeployment("shop"), "deployment shop still has 1 instances");
        refuses(s -> s.deleteInstance(instance.id()), "still has 1 VMs");
        store.update(s -> s.deleteVm(vm.agent()));
        refuses(s -> s.deleteInstance(instance.id()), "still has 1 disks");
        store.update(s -> {
            s.saveDisk(orphan("disk-1", instance));
            s.deleteInstance(instance.id());
            s.deleteDeployment("shop");
        });
        assertThat(listed(store, StoreSession::ips)).isEmpty();
        assertThat(listed(store, StoreSession::orphanedDisks))
                .containsExactly(orphan("disk-1", instance));
        refuses(s -> s.saveVm(vm), "rows disagree");
    }

    private void refuses(Consumer<StoreSession> block, String message) {
        assertThatThrownBy(() -> store.update(block))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(message);
    }

    @Test
    void disksAreListedByHolderDeploymentAndOrphanhood() {
        Rows.Instance db = instance("shop", "db", 0);
        Rows.Instance other = instance("attic", "db", 0);
        store.update(s -> {
            s.saveDeployment(deployment("shop"));
            s.saveDeployment(deployment("attic"));
            s.saveInstance(db);
            s.saveInstance(other);
            s.saveDisk(disk("b", db, null));
            s.saveDisk(disk("a", db, null));
            s.saveDisk(disk("c", other, null));
            s.saveDisk(orphan("d", db));
        });
        assertThat(cids(store.read(s -> s.disks(db.id())))).containsExactly("a", "b");
        assertThat(cids(store.read(s -> s.disks(null)))).containsExactly("a", "b", "c", "d");
        assertThat(cids(store.read(s -> s.disksOf("shop")))).containsExactly("a", "b");
        assertThat(cids(store.read(s -> s.disksOf(null)))).containsExactly("a", "b", "c");
        assertThat(cids(store.read(StoreSession::orphanedDisks))).containsExactly("d");
        store.update(s -> s.deleteDisk(new DiskCid("d")));
        assertThat(listed(store, StoreSession::orphanedDisks)).isEmpty();
    }

    private static List<String> cids(List<Rows.Disk> disks) {
        return disks.stream().map(d -> d.cid().value()).toList();
    }

    @Test
    void anAddressBelongsToOneInstance() {
        Rows.Instance a = instance("shop", "db", 0);
        Rows.Instance b = instance("shop", "db", 1);
        store.update(s -> {
            s.saveDeployment(deployment("shop"));
            s.saveInstance(a);
            s.saveInstance(b);
        });
        assertThat(reserve("10.0.0.5", a, false)).isTrue();
        assertThat(reserve("10.0.0.5", b, true)).isFalse();
        assertThat(reserve("10.0.0.5", a, true)).isTrue();
        assertThat(reserve("10.0.0.4", b, true)).isTrue();
        assertThat(listed(store, StoreSession::ips))
                .containsExactly(
                        new Rows.Ip("10.0.0.4", "default", b.id(), true),
                        new Rows.Ip("10.0.0.5", "default", a.id(), true));
        store.update(s -> s.releaseIp("10.0.0.5"));
        assertThat(reserve("10.0.0.5", b, true)).isTrue();
        assertThat(listed(store, s -> s.ips(b.id()))).hasSize(2);
    }

    private boolean reserve(String address, Rows.Instance holder, boolean isStatic) {
        return store.write(
                s -> s.reserveIp(new Rows.Ip(address, "default", holder.id(), isStatic)));
    }

    @Test
    void manyWritersGetTheAddressOnceAndLoseNothing() throws Exception {
        List<Rows.Instance> instances = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            instances.add(instance("shop", "db", i));
        }
        store.update(s -> {
            s.saveDeployment(deployment("shop"));
            instances.forEach(s::saveInstance);
            s.putSetting("count", "0");
        });
        var go = new CountDownLatch(1);
        var attempts = new ArrayList<Callable<Boolean>>();
        for (Rows.Instance instance : instances) {
            attempts.add(() -> {
                go.await();
                for (int i = 0; i < 20; i++) {
                    store.update(this::countUp);
                    store.read(s -> s.instances("shop"));
                }
                return reserve("10.0.0.9", instance, false);
            });
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Boolean>> results = attempts.stream().map(threads::submit).toList();
            go.countDown();
            int winners = 0;
            for (Future<Boolean> result : results) {
                winners += result.get(60, TimeUnit.SECONDS) ? 1 : 0;
            }
            assertThat(winners).isEqualTo(1);
        }
        assertThat(found(store, s -> s.setting("count"))).contains("160");
    }

    private void countUp(StoreSession session) {
        int count = Integer.parseInt(session.setting("count").orElseThrow());
        session.putSetting("count", String.valueOf(count + 1));
    }

    @Test
    void anInterruptedCallerStillGetsItsAnswer() {
        Thread.currentThread().interrupt();
        store.update(s -> s.putSetting("k", "v"));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(found(store, s -> s.setting("k"))).contains("v");
    }

    @Test
    void theNewestVariableOfANameIsCurrent() {
        store.update(s -> {
            s.addVariable("/berth/shop/b", "password", "old", T0);
            s.addVariable("/berth/shop/b", "password", "new", T0);
            s.addVariable("/berth/shop/a", "certificate", "x", T0);
            s.addVariable("/berth/shopping/c", "password", "y", T0);
            s.addVariable("/berth/shop_/c", "password", "z", T0);
        });
        assertThat(found(store, s -> s.variable("/berth/shop/b")).orElseThrow().sealed())
                .isEqualTo("new");
        assertThat(listed(store, s -> s.variables("/berth/shop/")))
                .extracting(Rows.Variable::sealed)
                .containsExactly("x", "new");
        assertThat(listed(store, s -> s.variables("/berth/shop_")))
                .extracting(Rows.Variable::sealed)
                .containsExactly("z");
        assertThat(found(store, s -> s.variable("none"))).isEmpty();
    }

    @Test
    void tasksGrowInNumberAndAreListedNewestFirst() {
        Rows.Task deploy = task("update_deployment", "shop");
        Rows.Task scan = task("scan_and_fix", null);
        assertThat(scan.id()).isGreaterThan(deploy.id());
        assertThat(deploy.state()).isEqualTo("queued");
        var running =
                new Rows.Task(
                        deploy.id(),
                        deploy.type(),
                        "processing",
                        deploy.description(),
                        deploy.user(),
                        deploy.deployment(),
                        deploy.contextId(),
                        deploy.payload(),
                        deploy.queuedAt(),
                        T0.plusMillis(5),
                        null,
                        null);
        store.update(s -> s.saveTask(running));
        assertThat(found(store, s -> s.task(deploy.id()))).contains(running);
        assertThat(listed(store, s -> s.tasks(null, null, null, 10)))
                .containsExactly(scan, running);
        assertThat(listed(store, s -> s.tasks(List.of("queued", "done"), null, null, 10)))
                .containsExactly(scan);
        assertThat(listed(store, s -> s.tasks(null, List.of("update_deployment"), "shop", 10)))
                .containsExactly(running);
        assertThat(listed(store, s -> s.tasks(List.of(), null, null, 10))).isEmpty();
        assertThat(listed(store, s -> s.tasks(null, null, null, 1))).containsExactly(scan);
    }

    private Rows.Task task(String type, @Nullable String deployment) {
        return store.write(
                s -> s.addTask(type, "do it", "admin", deployment, "ctx", Map.of("n", 1L), T0));
    }

    private Rows.Task finished(Rows.Task task) {
        var done =
                new Rows.Task(
                        task.id(),
                        task.type(),
                        "done",
                        task.description(),
                        task.user(),
                        task.deployment(),
                        task.contextId(),
                        task.payload(),
                        task.queuedAt(),
                        T0,
                        T0.plusSeconds(1),
                        "ok");
        store.update(s -> s.saveTask(done));
        return done;
    }

    @Test
    void oldTasksAreForgottenButNoneThatRunsOrHasAnOpenIntent() {
        Rows.Task oldest = finished(task("update_deployment", "shop"));
        Rows.Task open = finished(task("update_deployment", "shop"));
        Rows.Task running = task("update_deployment", "shop");
        Rows.Task newest = finished(task("update_deployment", "shop"));
        Rows.Task otherType = finished(task("vms", "shop"));
        store.update(s -> {
            s.beginIntent(intent("closed", oldest.id()));
            s.endIntent(new IntentId("closed"), "done", T0);
            s.beginIntent(intent("open", open.id()));
        });
        assertThat(store.<List<Long>>write(s -> s.forgetTasks(1))).containsExactly(oldest.id());
        assertThat(listed(store, s -> s.tasks(null, null, null, 10)))
                .containsExactly(otherType, newest, running, open);
        assertThat(listed(store, s -> s.intents(oldest.id()))).isEmpty();
        Rows.Task next = task("vms", null);
        assertThat(next.id()).isGreaterThan(otherType.id());
    }

    @Test
    void theJournalKeepsIntentsInOrderUntilTheyEnd() {
        store.update(s -> {
            s.beginIntent(intent("z-first", 1));
            s.beginIntent(intent("a-second", 1));
            s.beginIntent(intent("other", 2));
        });
        store.update(s -> s.endIntent(new IntentId("z-first"), "done", T0.plusMillis(7)));
        assertThat(listed(store, s -> s.openIntents(1L))).containsExactly(intent("a-second", 1));
        assertThat(listed(store, s -> s.openIntents(null)))
                .extracting(i -> i.id().value())
                .containsExactly("a-second", "other");
        List<Rows.Intent> all = store.read(s -> s.intents(1));
        assertThat(all).extracting(i -> i.id().value()).containsExactly("z-first", "a-second");
        assertThat(all.getFirst().endedAt()).isEqualTo(T0.plusMillis(7));
        assertThat(all.getFirst().outcome()).isEqualTo("done");
        refuses(s -> s.endIntent(new IntentId("z-first"), "again", T0), "ended already");
        refuses(s -> s.endIntent(new IntentId("none"), "x", T0), "unknown");
        refuses(s -> s.beginIntent(intent("other", 3)), "rows disagree");
    }

    @Test
    void eventsComeNewestFirstInPages() {
        Rows.Event first = event("shop", null);
        Rows.Event second = event("shop", first.id());
        Rows.Event third = event(null, null);
        assertThat(listed(store, s -> s.events(null, null, 10)))
                .containsExactly(third, second, first);
        assertThat(listed(store, s -> s.events(third.id(), null, 1))).containsExactly(second);
        assertThat(listed(store, s -> s.events(null, "shop", 10))).containsExactly(second, first);
        assertThat(found(store, s -> s.event(second.id()))).contains(second);
        assertThat(second.parent()).isEqualTo(first.id());
        assertThat(store.<Integer>write(s -> s.forgetEvents(1))).isEqualTo(2);
        assertThat(store.<Integer>write(s -> s.forgetEvents(1))).isZero();
        assertThat(listed(store, s -> s.events(null, null, 10))).containsExactly(third);
    }

    private Rows.Event event(@Nullable String deployment, @Nullable Long parent) {
        return store.write(s ->
                s.addEvent(
                        new Rows.Event(
                                0,
                                parent,
                                T0,
                                "admin",
                                "create",
                                "vm",
                                null,
                                null,
                                deployment,
                                null,
                                ODD,
                                Map.of("a", "b"))));
    }

    static Rows.Deployment deployment(String name) {
        return new Rows.Deployment(name, null, List.of(), List.of(), List.of(), Map.of(), T0);
    }

    static Rows.Instance instance(String deployment, String group, int index) {
        return new Rows.Instance(
                new InstanceId(deployment + " " + group + " " + index),
                deployment,
                group,
                index,
                "z1",
                "started",
                index == 0,
                false,
                true,
                Json.of("hash", "abc", "networks", Json.of("default", Json.of("ip", "10.0.0.5"))),
                T0);
    }

    static Rows.Vm vm(Rows.Instance instance, String agent) {
        return new Rows.Vm(
                new AgentId(agent),
                new VmCid("vm " + agent),
                instance.id(),
                "",
                Json.of("cloud_properties", Json.of("cpu", 2L)),
                true,
                false,
                T0);
    }

    static Rows.Disk disk(String cid, Rows.Instance holder, @Nullable VmCid attachedTo) {
        return new Rows.Disk(
                new DiskCid(cid),
                holder.id(),
                attachedTo,
                10_240,
                Map.of("type", "fast"),
                "large",
                true,
                null,
                holder.deployment(),
                holder.group() + "/" + holder.id(),
                holder.az(),
                "");
    }

    static Rows.Disk orphan(String cid, Rows.Instance holder) {
        return new Rows.Disk(
                new DiskCid(cid),
                null,
                null,
                10_240,
                Map.of(),
                "large",
                false,
                T0,
                holder.deployment(),
                holder.group() + "/" + holder.id(),
                null,
                "");
    }

    static Rows.Intent intent(String id, long task) {
        return new Rows.Intent(
                new IntentId(id),
                task,
                new InstanceId("i"),
                "create_vm",
                Map.of("agent", "a"),
                T0,
                null,
                null);
    }

    @Test
    void certificatesOfAgentsAreReplacedAndForgotten() {
        var first =
                new Rows.AgentCertificate(
                        new AgentId("a"), T0.plusSeconds(9), T0.plusSeconds(6), "old", "old", "");
        var other = new Rows.AgentCertificate(new AgentId("b"), T0, T0, "old", "both", "no answer");
        store.update(s -> s.saveAgentCertificate(other));
        store.update(s -> s.saveAgentCertificate(first));
        assertThat(listed(store, StoreSession::agentCertificates)).containsExactly(first, other);
        var changed =
                new Rows.AgentCertificate(
                        first.agent(), T0.plusSeconds(99), T0.plusSeconds(66), "new", "new", "");
        store.update(s -> s.saveAgentCertificate(changed));
        store.update(s -> s.deleteAgentCertificate(other.agent()));
        store.update(s -> s.deleteAgentCertificate(new AgentId("unknown")));
        assertThat(listed(store, StoreSession::agentCertificates)).containsExactly(changed);
        assertThat(other.troubled("").trouble()).isEmpty();
    }

    @Test
    void alertsAreReplacedByNumberAndForgottenOnlyWhenOverAndTold() {
        for (long n = 1; n <= 6; n++) {
            var alert = new Rows.Alert(n, n == 2 ? "open" : "resolved", T0, Json.of("t", ODD));
            store.update(s -> s.saveAlert(alert));
        }
        store.update(s -> s.saveAlert(new Rows.Alert(6, "acknowledged", T0, Json.of("t", "x"))));
        assertThat(found(store, s -> s.alert(6)))
                .contains(new Rows.Alert(6, "acknowledged", T0, Json.of("t", "x")));
        assertThat(listed(store, s -> s.alerts(List.of("open", "acknowledged"), 9)))
                .extracting(Rows.Alert::number)
                .containsExactly(6L, 2L);
        store.update(s -> s.addDelivery(delivery("mail", "n3", 3)));
        assertThat(store.<Integer>write(s -> s.forgetAlerts(2))).isEqualTo(2);
        assertThat(listed(store, s -> s.alerts(null, 9)))
                .extracting(Rows.Alert::number)
                .containsExactly(6L, 5L, 3L, 2L);
        assertThat(store.<Integer>write(s -> s.forgetAlerts(99))).isZero();
    }

    @Test
    void aNoticeIsDeliveredOnceToEachSinkAndInOrder() {
        store.update(s -> {
            assertThat(s.addDelivery(delivery("mail", "a", 1))).isTrue();
            assertThat(s.addDelivery(delivery("mail", "a", 1))).isFalse();
            assertThat(s.addDelivery(delivery("mail", "b", 1))).isTrue();
            assertThat(s.addDelivery(delivery("pager", "a", 1))).isTrue();
        });
        assertThat(store.<Map<String, Long>>read(s -> s.waitingDeliveries()))
                .isEqualTo(Map.of("mail", 2L, "pager", 1L));
        List<Rows.Delivery> waiting = store.read(s -> s.waitingDeliveries("mail", 9));
        assertThat(waiting).extracting(Rows.Delivery::notice).containsExactly("a", "b");
        Rows.Delivery first = waiting.getFirst();
        Rows.Delivery tried = first.triedInVain(T0.plusSeconds(5), "away");
        store.update(s -> s.saveDelivery(tried));
        assertThat(listed(store, s -> s.waitingDeliveries("mail", 1))).containsExactly(tried);
        Rows.Delivery done = tried.ended("delivered", T0.plusSeconds(6), "250 OK");
        store.update(s -> s.saveDelivery(done));
        assertThat(done.attempts()).isEqualTo(2);
        assertThat(listed(store, s -> s.waitingDeliveries("mail", 9)))
                .extracting(Rows.Delivery::notice)
                .containsExactly("b");
        assertThat(store.<Integer>write(s -> s.dropDeliveries("mail", "no such sink", T0)))
                .isEqualTo(1);
        assertThat(listed(store, s -> s.deliveriesOf(1)))
                .extracting(Rows.Delivery::state)
                .containsExactly("delivered", "dropped", "waiting");
    }

    private static Rows.Delivery delivery(String sink, String notice, long alert) {
        return new Rows.Delivery(
                0, sink, notice, alert, "waiting", T0, 0, T0, null, "", Json.of("odd", ODD));
    }

    private static Rows.Spare spare(String agent, String state) {
        return new Rows.Spare(
                new AgentId(agent),
                state.equals(Rows.Spare.MAKING) ? null : new VmCid("vm-" + agent),
                "small",
                state,
                Json.of("cloud_properties", Json.of("cpus", 1L)),
                "",
                T0);
    }

    @Test
    void aSpareVmIsKeptUntilItIsDeleted() {
        Rows.Spare making = spare("a1", Rows.Spare.MAKING);
        store.update(s -> s.saveSpare(making));
        assertThat(listed(store, StoreSession::spares)).containsExactly(making);
        Rows.Spare ready = making.made(new VmCid("vm-a1")).in(Rows.Spare.READY).having("digest");
        store.update(s -> s.saveSpare(ready));
        assertThat(found(store, s -> s.spare(new AgentId("a1")))).contains(ready);
        store.update(s -> s.deleteSpare(new AgentId("a1")));
        assertThat(listed(store, StoreSession::spares)).isEmpty();
    }

    @Test
    void anAddressIsASpareVmsOrAnInstancesAndFreeWhenTheSpareIsGone() {
        store.update(s -> {
            s.saveDeployment(deployment("shop"));
            s.saveInstance(instance("shop", "db", 0));
            s.saveSpare(spare("a1", Rows.Spare.READY));
            s.saveSpare(spare("a2", Rows.Spare.READY));
        });
        var own = new Rows.Ip("10.0.0.3", "default", new InstanceId("shop db 0"), false);
        assertThat(reserve("a1", "10.0.0.2")).isTrue();
        assertThat(reserve("a2", "10.0.0.2")).isFalse();
        assertThat(store.<Boolean>write(s -> s.reserveIp(own))).isTrue();
        assertThat(reserve("a1", "10.0.0.3")).isFalse();
        var wanted = new Rows.Ip("10.0.0.2", "default", new InstanceId("shop db 0"), false);
        assertThat(store.<Boolean>write(s -> s.reserveIp(wanted))).isFalse();
        assertThat(listed(store, StoreSession::ips))
                .extracting(ip -> ip.address() + " " + ip.instance())
                .containsExactly("10.0.0.2 a1", "10.0.0.3 shop db 0");
        assertThat(listed(store, s -> s.ips(new InstanceId("a1")))).isEmpty();
        store.update(s -> s.deleteSpare(new AgentId("a1")));
        assertThat(store.<Boolean>write(s -> s.reserveIp(wanted))).isTrue();
    }

    private boolean reserve(String agent, String address) {
        return store.<Boolean>write(s -> s.reserveSpareIp(new AgentId(agent), "default", address));
    }
}
