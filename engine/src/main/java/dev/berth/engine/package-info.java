/**
 * The Docker Engine as Berth uses it: one port, {@link dev.berth.engine.Engine}, and its adapter
 * over the engine's unix socket. Shared by the Docker CPI (the IaaS engine) and the agent (the
 * engine in the VM).
 *
 * <p>The adapter speaks HTTP itself, because the agent in every VM pays for it. Measured in one
 * small JVM (32 MB heap, serial collector, C1, AOT cache) with a ping and lists: an empty program
 * 35 MB resident, this client 45 MB and 0.04 s to the first list, Jetty's client 77 MB and 0.4 s,
 * docker-java 82 MB and 0.3 s.
 */
@NullMarked
package dev.berth.engine;

import org.jspecify.annotations.NullMarked;
