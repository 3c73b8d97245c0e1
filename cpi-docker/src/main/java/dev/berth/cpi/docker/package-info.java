/**
 * The CPI whose IaaS is one machine's Docker Engine: a VM is a system container, a persistent disk
 * a file behind a loop device, a network a Docker network. Runs as root on the engine's host.
 *
 * <p>What cannot be a label lives in a folder ({@code BASE}): {@code vms/CID/} (record, settings,
 * device nodes), {@code disks/CID/} (record, image), {@code locks/}. Several processes may work on
 * one folder: every change of a VM or disk holds its lock. Locks are taken VM first, then disk.
 */
@NullMarked
package dev.berth.cpi.docker;

import org.jspecify.annotations.NullMarked;
