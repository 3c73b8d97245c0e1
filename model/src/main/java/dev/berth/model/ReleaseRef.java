package dev.berth.model;

/** A release as a manifest asks for it; {@code version} as {@link StemcellRef}'s. */
public record ReleaseRef(String name, String version) {
    /** The release whose jobs Berth has built in: it needs no upload, and any version is right. */
    public static final String DOCKER = "docker";
}
