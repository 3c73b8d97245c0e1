/**
 * Watches the fleet and decides what to do about it. {@link dev.berth.monitor.Judge} decides, from
 * plain data and the time alone; {@link dev.berth.monitor.Monitor} carries signals in and actions
 * out through ports. Nothing here knows the bus, a cloud or the store.
 */
@NullMarked
package dev.berth.monitor;

import org.jspecify.annotations.NullMarked;
