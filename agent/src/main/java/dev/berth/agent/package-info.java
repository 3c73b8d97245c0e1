/**
 * The program inside every VM: it links the VM to the bus, proves and mounts its disks, keeps a
 * Docker daemon running and hands the wished containers to their supervisor. It decides nothing
 * about the deployment, and ending it ends nothing else.
 */
@NullMarked
package dev.berth.agent;

import org.jspecify.annotations.NullMarked;
