/** What the supervisor promises, shown on a fake engine, in virtual time, and on a real one. */
@NullMarked
package dev.berth.supervisor;

import org.jspecify.annotations.NullMarked;
