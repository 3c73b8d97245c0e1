package dev.berth.director;

import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.Json;
import dev.berth.model.VmCid;
import dev.berth.store.Rows;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One difference between what is recorded, what the cloud has and what an agent says.
 *
 * @param kind stable, such as {@code vm-missing}: what scripts go by
 * @param subject the VM, disk, address or file that it is about; what {@code --yes} names
 * @param deployment empty: of the director as a whole, or of none that is known
 * @param instance {@code group/id}; empty where it is about none
 */
record Finding(
        String kind,
        String subject,
        String deployment,
        String instance,
        String expected,
        String found,
        Repair repair) {
    /** What would make it right. */
    sealed interface Repair {
        /** What is done, for a person who decides. */
        String words();

        /** Whether a person has to name the subject: data might be lost, or something stops. */
        default boolean needsYes() {
            return false;
        }

        /** Nothing that a program may do. */
        record ByHand(String words) implements Repair {}

        /**
         * The way of the resurrector: starts, attaches, mounts or replaces, whatever is missing.
         */
        record Fix(InstanceId instance, boolean needsYes) implements Repair {
            @Override
            public String words() {
                return needsYes
                        ? "replace the VM, its disk follows when the VM is proven gone"
                        : "scan and fix the instance";
            }
        }

        /** Of a VM that nobody knows and that has no disk. */
        record DeleteVm(VmCid vm) implements Repair {
            @Override
            public String words() {
                return "delete the VM; it has no disk";
            }
        }

        /** Of a VM's row whose VM is gone; frees what it held. */
        record ForgetVm(Rows.Vm vm) implements Repair {
            @Override
            public String words() {
                return "forget the record";
            }
        }

        /** It becomes an orphan, and is kept five days from then on. */
        record AdoptDisk(DiskCid disk) implements Repair {
            @Override
            public String words() {
                return "adopt it as an orphaned disk";
            }
        }

        record ForgetDisk(DiskCid disk, boolean needsYes) implements Repair {
            @Override
            public String words() {
                return needsYes
                        ? "forget the record; the instance gets a new, empty disk"
                        : "forget the record";
            }
        }

        /**
         * @param vm null: none
         */
        record RecordHolder(DiskCid disk, @Nullable VmCid vm) implements Repair {
            @Override
            public String words() {
                return vm == null ? "record it as free" : "record it as held by " + vm;
            }
        }

        record ReserveAddress(Rows.Ip ip) implements Repair {
            @Override
            public String words() {
                return "reserve the address";
            }
        }

        /** Of a network that nobody asks for and that has no VM. */
        record DeleteNetwork(String network) implements Repair {
            @Override
            public boolean needsYes() {
                return true;
            }

            @Override
            public String words() {
                return "delete the network; no VM is on it";
            }
        }

        record KeepRecord(String deployment) implements Repair {
            @Override
            public String words() {
                return "hand the records over";
            }
        }

        record SetMetadata(VmCid vm, Map<String, String> metadata) implements Repair {
            @Override
            public String words() {
                return "set the metadata";
            }
        }
    }

    /** For the result of the task; secrets are in none of it. */
    Map<String, Object> toTree() {
        return Json.of(
                "kind",
                kind,
                "subject",
                subject,
                "deployment",
                deployment,
                "instance",
                instance,
                "expected",
                expected,
                "found",
                found,
                "repair",
                repair.words(),
                "automatic",
                !(repair instanceof Repair.ByHand),
                "needs_yes",
                repair.needsYes());
    }
}
