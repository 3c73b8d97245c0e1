package dev.berth.director;

import dev.berth.cpi.Cpi.CloudObject;
import dev.berth.cpi.Cpi.VmEvidence;
import dev.berth.director.Finding.Repair;
import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.store.Rows;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Networks as recorded, as the cloud has them and as agents know them: part of {@link Diagnosis},
 * and as pure. A cloud that does not say who is on a network is asked for nothing here.
 */
final class NetworkDiagnosis {
    /** Of a network in the inventory: {@code CID=ADDRESS,…} of the running VMs on it. */
    private static final String VMS = "vms";

    private final Facts facts;
    private final Map<InstanceId, Rows.Instance> instances = new HashMap<>();

    /** Cid of the network to VM to address. */
    private final Map<String, Map<String, String>> members = new TreeMap<>();

    private final Set<String> known = new TreeSet<>();
    private final List<Finding> findings = new ArrayList<>();

    private NetworkDiagnosis(Facts facts) {
        this.facts = facts;
        facts.instances().forEach(i -> instances.put(i.id(), i));
        for (CloudObject object :
                Objects.requireNonNullElse(facts.inventory(), List.<CloudObject>of())) {
            if (object.kind() == CloudObject.Kind.NETWORK) {
                known.add(object.cid());
                String vms = object.metadata().get(VMS);
                if (vms != null) {
                    members.put(object.cid(), pairs(vms));
                }
            }
        }
    }

    static List<Finding> of(Facts facts) {
        var diagnosis = new NetworkDiagnosis(facts);
        facts.vms().forEach(diagnosis::vm);
        diagnosis.strangers();
        return List.copyOf(diagnosis.findings);
    }

    private static Map<String, String> pairs(String text) {
        var pairs = new LinkedHashMap<String, String>();
        for (String pair : text.split(",")) {
            int end = pair.indexOf('=');
            if (end > 0) {
                pairs.put(pair.substring(0, end), pair.substring(end + 1));
            }
        }
        return pairs;
    }

    private void vm(Rows.Vm vm) {
        Rows.Instance i = instances.get(vm.instance());
        if (i == null
                || !vm.active()
                || facts.evidence().get(vm.cid()) != VmEvidence.RUNNING
                || facts.isBusy(vm)) {
            return;
        }
        networks(vm.shape())
                .forEach((name, settings) -> {
                    String address = settings.string("ip", "");
                    String cid = cid(settings);
                    if (!address.isEmpty() && !cid.isEmpty()) {
                        attached(vm, i, cid, address);
                    }
                    agent(vm, i, name, address);
                });
    }

    private static Map<String, Fields> networks(Map<String, Object> shape) {
        var networks = new LinkedHashMap<String, Fields>();
        Fields.of(shape, "shape")
                .object("networks")
                .tree()
                .forEach((name, of) -> networks.put(name, Fields.of(of, "network")));
        return networks;
    }

    private static String cid(Fields settings) {
        return settings.has("cloud_properties")
                ? settings.object("cloud_properties").string("name", "")
                : "";
    }

    private void attached(Rows.Vm vm, Rows.Instance i, String network, String address) {
        Map<String, String> vms = members.get(network);
        if (vms == null) {
            if (!members.isEmpty() && !known.contains(network)) {
                found(
                        "network-missing",
                        network,
                        i,
                        "a network in the cloud, for VM " + vm.cid(),
                        "the cloud has none of this director",
                        new Repair.ByHand("berth up makes it; then recreate the VM"));
            }
            return;
        }
        String real = vms.get(vm.cid().value());
        if (real == null) {
            found(
                    "vm-network",
                    vm.cid().value(),
                    i,
                    "on network " + network + " with " + address,
                    "the cloud says that it is not on that network",
                    replace(i));
        } else if (!real.equals(address)) {
            found(
                    "vm-network",
                    vm.cid().value(),
                    i,
                    "on network " + network + " with " + address,
                    "the cloud says: with " + real,
                    replace(i));
        }
    }

    private static Repair replace(Rows.Instance i) {
        return i.ignored() || !i.state().equals("started")
                ? new Repair.ByHand("it is ignored or stopped: recreate it when it is not")
                : new Repair.Fix(i.id(), true);
    }

    /** What its agent was told last, where it tells. */
    private void agent(Rows.Vm vm, Rows.Instance i, String network, String address) {
        Facts.Heard heard = facts.agents().get(vm.agent());
        if (heard == null || heard.state() == null || address.isEmpty()) {
            return;
        }
        Fields said = Fields.of(heard.state(), "agent state");
        if (!(said.tree().get("networks") instanceof Map<?, ?> networks)
                || !(networks.get(network) instanceof Map<?, ?> own)
                || !(own.get("ip") instanceof String ip)
                || ip.equals(address)) {
            return;
        }
        found(
                "agent-network",
                vm.cid().value(),
                i,
                "its agent has " + address + " on " + network,
                "it says " + ip,
                new Repair.ByHand("deploy again: the agent is told anew"));
    }

    /** Nobody asks for it, and no VM is on it. */
    private void strangers() {
        Set<String> asked = facts.networks();
        if (asked == null) {
            return;
        }
        var wanted = new TreeSet<>(asked);
        facts.vms().forEach(vm -> networks(vm.shape()).values().forEach(n -> wanted.add(cid(n))));
        members.forEach((cid, vms) -> {
            if (!wanted.contains(cid) && vms.isEmpty()) {
                findings.add(
                        new Finding(
                                "network-unrecorded",
                                cid,
                                "",
                                "",
                                "asked for by a cloud config or a VM",
                                "a network without VMs that nobody asks for",
                                new Repair.DeleteNetwork(cid)));
            }
        });
    }

    private void found(
            String kind,
            String subject,
            Rows.Instance of,
            String expected,
            String found,
            Repair repair) {
        findings.add(
                new Finding(
                        kind,
                        subject,
                        of.deployment(),
                        of.group() + "/" + of.id(),
                        expected,
                        found,
                        repair));
    }
}
