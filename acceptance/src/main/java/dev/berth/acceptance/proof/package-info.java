/**
 * The proof run: databases that are written without a pause, one fault after another, and a count
 * of what was lost.
 */
@NullMarked
package dev.berth.acceptance.proof;

import org.jspecify.annotations.NullMarked;
