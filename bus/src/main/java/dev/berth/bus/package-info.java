/**
 * The director's side of NATS: the server child, its certificates and per-agent permissions, agent
 * calls and what agents publish. Agents bring a client of their own; this module is not in the VM.
 */
@NullMarked
package dev.berth.bus;

import org.jspecify.annotations.NullMarked;
