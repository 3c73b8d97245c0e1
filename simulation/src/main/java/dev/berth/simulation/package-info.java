/**
 * Whole-system runs from one seed: the real director with its monitor, planner, executor and store
 * above a cloud, agents and a clock in memory, with faults and crashes, and with checkers that
 * watch the rules R1 to R8. May use every module; no module uses it.
 */
@NullMarked
package dev.berth.simulation;

import org.jspecify.annotations.NullMarked;
