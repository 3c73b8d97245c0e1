package dev.berth.director;

/**
 * What the director says of itself.
 *
 * @param name first segment of the names of relative variables
 * @param uuid stable for the life of the environment
 * @param cpi name of the default CPI
 */
public record DirectorIdentity(String name, String uuid, String version, String cpi) {}
