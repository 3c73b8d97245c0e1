package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A problem as {@code cloud-check} knows it.
 *
 * @param id of this problem among those of all deployments
 * @param instance whose it is
 * @param subject cid of the VM or disk; empty where there is none
 * @param description for people
 */
record CloudProblem(
        long id, Type type, InstanceId instance, String group, String subject, String description) {
    /** What may be done about it; the first of the list is shown first. */
    enum Resolution {
        IGNORE("Skip for now"),
        REBOOT_VM("Reboot VM"),
        RECREATE_VM_WITHOUT_WAIT("Recreate VM"),
        RECREATE_VM("Recreate VM and wait for processes to start"),
        DELETE_VM("Delete VM"),
        DELETE_VM_REFERENCE("Delete VM reference"),
        DELETE_DISK_REFERENCE("Delete disk reference (DANGEROUS!)"),
        DELETE_DISK("Orphan the disk; it is kept for five days"),
        ACTIVATE_DISK("Activate disk"),
        REATTACH_DISK("Reattach disk to instance"),
        REATTACH_DISK_AND_REBOOT("Reattach disk and reboot instance"),
        CLOSE("Close problem");

        private final String plan;

        Resolution(String plan) {
            this.plan = plan;
        }

        String text() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** The types and resolutions of the reference. */
    enum Type {
        MISSING_VM(
                Resolution.RECREATE_VM_WITHOUT_WAIT,
                List.of(
                        Resolution.IGNORE,
                        Resolution.RECREATE_VM_WITHOUT_WAIT,
                        Resolution.RECREATE_VM,
                        Resolution.DELETE_VM_REFERENCE)),
        UNRESPONSIVE_AGENT(
                Resolution.IGNORE,
                List.of(
                        Resolution.IGNORE,
                        Resolution.REBOOT_VM,
                        Resolution.RECREATE_VM_WITHOUT_WAIT,
                        Resolution.RECREATE_VM,
                        Resolution.DELETE_VM,
                        Resolution.DELETE_VM_REFERENCE)),
        MISSING_DISK(
                Resolution.IGNORE, List.of(Resolution.IGNORE, Resolution.DELETE_DISK_REFERENCE)),
        INACTIVE_DISK(
                Resolution.IGNORE,
                List.of(Resolution.IGNORE, Resolution.DELETE_DISK, Resolution.ACTIVATE_DISK)),
        MOUNT_INFO_MISMATCH(
                Resolution.IGNORE,
                List.of(
                        Resolution.IGNORE,
                        Resolution.REATTACH_DISK,
                        Resolution.REATTACH_DISK_AND_REBOOT)),
        INVALID_PROBLEM(Resolution.CLOSE, List.of(Resolution.CLOSE));

        final Resolution automatic;
        final List<Resolution> resolutions;

        Type(Resolution automatic, List<Resolution> resolutions) {
            this.automatic = automatic;
            this.resolutions = resolutions;
        }

        String text() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /**
     * What of the doctor's findings a cloud check knows, and the disks that no copy has taken over.
     * An ignored instance is left out.
     *
     * @param firstId of the first; the others follow
     */
    static List<CloudProblem> of(Facts facts, List<Finding> findings, long firstId) {
        Map<String, Rows.Instance> byName = new LinkedHashMap<>();
        facts.instances().forEach(i -> byName.put(i.group() + "/" + i.id(), i));
        var problems = new LinkedHashMap<String, CloudProblem>();
        for (Finding finding : findings) {
            Rows.Instance i = byName.get(finding.instance());
            Type type = type(finding.kind());
            if (i != null && type != null && !i.ignored()) {
                add(problems, firstId, type, i, finding);
            }
        }
        for (Rows.Disk disk : facts.disks()) {
            Rows.Instance i =
                    facts.instances().stream()
                            .filter(x -> x.id().equals(disk.instance()))
                            .findFirst()
                            .orElse(null);
            if (i != null && !disk.active() && !i.ignored()) {
                put(
                        problems,
                        new CloudProblem(
                                firstId + problems.size(),
                                Type.INACTIVE_DISK,
                                i.id(),
                                i.group(),
                                disk.cid().value(),
                                "Disk '" + disk.cid() + "' (" + name(i) + ") is inactive"));
            }
        }
        return numbered(problems.values(), firstId);
    }

    /** Where the VM is the trouble, that its disk is not mounted there is no second one. */
    private static List<CloudProblem> numbered(Collection<CloudProblem> all, long firstId) {
        Set<InstanceId> ofVm =
                all.stream()
                        .filter(CloudProblem::isOfVm)
                        .map(CloudProblem::instance)
                        .collect(Collectors.toSet());
        var numbered = new ArrayList<CloudProblem>();
        for (CloudProblem p : all) {
            if (p.type != Type.MOUNT_INFO_MISMATCH || !ofVm.contains(p.instance)) {
                numbered.add(
                        new CloudProblem(
                                firstId + numbered.size(),
                                p.type,
                                p.instance,
                                p.group,
                                p.subject,
                                p.description));
            }
        }
        return numbered;
    }

    boolean isOfVm() {
        return type == Type.MISSING_VM || type == Type.UNRESPONSIVE_AGENT;
    }

    private static void add(
            Map<String, CloudProblem> to, long firstId, Type type, Rows.Instance i, Finding f) {
        boolean vm = type == Type.MISSING_VM || type == Type.UNRESPONSIVE_AGENT;
        String subject = f.kind().equals("vm-none") ? "" : f.subject();
        String what = (vm ? "VM" : "Disk") + (subject.isEmpty() ? "" : " '" + subject + "'");
        put(
                to,
                new CloudProblem(
                        firstId + to.size(),
                        type,
                        i.id(),
                        i.group(),
                        subject,
                        what
                                + " for '"
                                + name(i)
                                + "': expected "
                                + f.expected()
                                + ", found "
                                + f.found()));
    }

    /** Of one VM or disk one problem is enough: the first, as the doctor tells them. */
    private static void put(Map<String, CloudProblem> to, CloudProblem problem) {
        to.putIfAbsent(problem.isOfVm() ? "vm of " + problem.instance : problem.subject, problem);
    }

    private static @Nullable Type type(String kind) {
        return switch (kind) {
            case "vm-none", "vm-missing" -> Type.MISSING_VM;
            case "agent-silent", "vm-off" -> Type.UNRESPONSIVE_AGENT;
            case "disk-missing" -> Type.MISSING_DISK;
            case "disk-unmounted", "disk-attachment" -> Type.MOUNT_INFO_MISMATCH;
            default -> null;
        };
    }

    private static String name(Rows.Instance i) {
        return i.group() + "/" + i.id() + " (" + i.index() + ")";
    }

    /** Its instance is gone: nothing can be done but to forget it. */
    CloudProblem invalid() {
        return new CloudProblem(
                id,
                Type.INVALID_PROBLEM,
                instance,
                group,
                subject,
                "Problem ("
                        + type.text()
                        + " "
                        + id
                        + ") is no longer valid: its instance is gone");
    }

    /** As {@code GET /deployments/D/problems} shows it. */
    Map<String, Object> shown() {
        return Json.of(
                "id",
                id,
                "type",
                type.text(),
                "data",
                Json.of("instance", instance.value(), "subject", subject),
                "description",
                description,
                "instance_group",
                group,
                "resolutions",
                type.resolutions.stream()
                        .map(r -> Json.of("name", r.text(), "plan", r.plan))
                        .toList());
    }

    Map<String, Object> kept() {
        return Json.of(
                "id",
                id,
                "type",
                type.text(),
                "instance",
                instance.value(),
                "group",
                group,
                "subject",
                subject,
                "description",
                description);
    }

    static CloudProblem read(Fields f) {
        return new CloudProblem(
                f.integer("id"),
                Type.valueOf(f.string("type").toUpperCase(java.util.Locale.ROOT)),
                new InstanceId(f.string("instance")),
                f.string("group"),
                f.string("subject", ""),
                f.string("description", ""));
    }
}
