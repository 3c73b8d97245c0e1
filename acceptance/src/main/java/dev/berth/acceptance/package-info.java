/**
 * Benchmarks on a real engine. Each one does the same work with Berth and with the bare engine,
 * side by side in one run: on a shared machine only the ratio of the two says much. What is
 * measured is made in an environment of its own, which goes when the run ends.
 */
@NullMarked
package dev.berth.acceptance;

import org.jspecify.annotations.NullMarked;
