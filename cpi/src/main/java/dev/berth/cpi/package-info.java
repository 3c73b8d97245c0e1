/**
 * The BOSH CPI contract as a port. Built-in CPIs implement {@link dev.berth.cpi.Cpi} in process;
 * external ones are executables behind {@code ExternalCpi}; {@code CpiServer} serves any Cpi over
 * stdin and stdout.
 */
@NullMarked
package dev.berth.cpi;

import org.jspecify.annotations.NullMarked;
