package dev.berth.alerts;

import org.jspecify.annotations.Nullable;

/**
 * What the book decided: to be kept and told in one transaction.
 *
 * @param incident as it is from now on
 * @param told what to tell of it; null: nothing
 */
public record Change(Incident incident, Notice.@Nullable Kind told) {}
