package dev.berth.supervisor;

import dev.berth.engine.Engine;
import dev.berth.model.Fields;

/**
 * What an engine can, as far as create bodies depend on it.
 *
 * @param api minor version of the API that is spoken; Berth needs 41
 * @param cgroupV2 whether limits are those of cgroup v2
 */
record EngineFacts(int api, boolean cgroupV2) {
    static final int OLDEST = 41;

    static EngineFacts of(Engine engine) {
        String version = engine.apiVersion();
        int dot = version.indexOf('.');
        int minor = OLDEST;
        try {
            minor = Integer.parseInt(version.substring(dot + 1));
        } catch (NumberFormatException e) {
            // The least it can be: newer fields are then left out, with a word about each.
        }
        boolean v2 = Fields.of(engine.info(), "info").string("CgroupVersion", "1").equals("2");
        return new EngineFacts(minor, v2);
    }
}
