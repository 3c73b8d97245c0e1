/** Tests of the command line: what people see, and what goes to a director of the test's own. */
@NullMarked
package dev.berth.cli;

import org.jspecify.annotations.NullMarked;
