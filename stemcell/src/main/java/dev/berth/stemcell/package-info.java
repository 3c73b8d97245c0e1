/**
 * Builds {@code berth-debian}, the stemcell of a VM that is a container: a Debian root with a
 * Docker Engine, a trimmed Java runtime, the agent and its AOT cache. Three layers are kept apart
 * and cached by what they are made from, so that a new agent costs seconds and not a new Debian.
 *
 * <p>The work on file systems is done by Debian's own tools ({@code debootstrap}, {@code chroot},
 * {@code tar}), started from here; nothing in this package speaks to a director.
 */
@NullMarked
package dev.berth.stemcell;

import org.jspecify.annotations.NullMarked;
