package dev.berth.model;

import java.util.Map;

/**
 * A job of a release on an instance group.
 *
 * @param properties those it sees, raw: its own, or else the deployment's and the group's merged
 */
public record JobRef(String name, String release, Map<String, Object> properties) {}
