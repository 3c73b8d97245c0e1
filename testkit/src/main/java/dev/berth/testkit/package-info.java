/**
 * Fakes of the ports and the contract suites that fake and real adapters both pass. Nothing here
 * has a clock or a random number of its own.
 */
@NullMarked
package dev.berth.testkit;

import org.jspecify.annotations.NullMarked;
