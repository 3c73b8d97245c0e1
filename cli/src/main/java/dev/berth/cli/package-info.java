/**
 * The {@code berth} command: the director's HTTP API for people, and the life of an environment on
 * this machine. Knows the director by its API only.
 */
@NullMarked
package dev.berth.cli;

import org.jspecify.annotations.NullMarked;
