/**
 * Keeps the containers of one instance as they are wished. {@link
 * dev.berth.supervisor.SupervisorCore} decides and is pure; {@link dev.berth.supervisor.Reconciler}
 * folds what is seen into what it decides on; {@link dev.berth.supervisor.EngineExecutor} acts;
 * {@link dev.berth.supervisor.Supervisor} holds the threads. {@link
 * dev.berth.supervisor.DaemonWatch} does for the Docker daemon what the supervisor does for
 * containers. Nothing here knows the bus, the wire or disks beyond {@link
 * dev.berth.supervisor.DiskProof}.
 */
@NullMarked
package dev.berth.supervisor;

import org.jspecify.annotations.NullMarked;
