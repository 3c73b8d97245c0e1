/**
 * A director beside thousands of agents that are made up, each in a process of its own, so that
 * what the director needs is seen apart. The bus between them is the real one, and each agent has a
 * connection and a certificate of its own.
 */
@NullMarked
package dev.berth.acceptance.fleet;

import org.jspecify.annotations.NullMarked;
