/**
 * The Docker Engine as Berth uses it: one port, {@link dev.berth.engine.Engine}, and its adapter
 * over the engine's unix socket. Shared by the Docker CPI (the IaaS engine) and the agent (the
 * engine in the VM).
 */
@NullMarked
package dev.berth.engine;

import org.jspecify.annotations.NullMarked;
