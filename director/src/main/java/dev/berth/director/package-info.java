/**
 * The director: the task engine, the executor of plans, the HTTP API, variables, blobs and the
 * wiring of the process. Decisions are made elsewhere (planner, judge); this package acts on them.
 */
@NullMarked
package dev.berth.director;

import org.jspecify.annotations.NullMarked;
