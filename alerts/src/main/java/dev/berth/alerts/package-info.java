/**
 * The life of an alert, from a trouble that begins to the notice that it is over, and those who are
 * told. {@link dev.berth.alerts.AlertBook} decides and does nothing; sinks speak to the outside, a
 * {@link dev.berth.alerts.Courier} each; what is kept is kept by an {@link
 * dev.berth.alerts.Outbox}.
 */
@org.jspecify.annotations.NullMarked
package dev.berth.alerts;
