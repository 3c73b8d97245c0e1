package dev.berth.director;

import dev.berth.cpi.CpiContext;
import dev.berth.model.IntentId;
import java.util.Map;

/**
 * What the director says of itself.
 *
 * @param name first segment of the names of relative variables
 * @param uuid stable for the life of the environment
 * @param cpi name of the default CPI
 */
public record DirectorIdentity(String name, String uuid, String version, String cpi) {
    /** Context of a CPI call that carries out an intent. */
    CpiContext context(IntentId intent) {
        return new CpiContext(uuid, intent.value(), null, Map.of());
    }
}
