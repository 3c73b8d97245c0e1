/**
 * The shapes that cross process borders: agent protocol (API version 1, message protocol 3), agent
 * settings, heartbeats, alerts. Reading is lenient, writing is exact; nothing here does I/O.
 */
@NullMarked
package dev.berth.wire;

import org.jspecify.annotations.NullMarked;
