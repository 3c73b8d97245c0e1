package dev.berth.supervisor;

import dev.berth.engine.Engine;
import dev.berth.model.Fields;

/**
 * What an engine can, as far as create bodies depend on it.
 *
 * @param api minor version of the API that is spoken; Berth needs 41
 * @param cgroupV2 whether limits are those of cgroup v2
 * @param ownLogs whether the daemon was told what becomes of logs that a spec says nothing about
 */
record EngineFacts(int api, boolean cgroupV2, boolean ownLogs) {
    static final int OLDEST = 41;

    EngineFacts(int api, boolean cgroupV2) {
        this(api, cgroupV2, false);
    }

    static EngineFacts of(Engine engine) {
        return of(engine, DaemonDefaults.NONE);
    }

    static EngineFacts of(Engine engine, DaemonDefaults defaults) {
        String version = engine.apiVersion();
        int dot = version.indexOf('.');
        int minor = OLDEST;
        try {
            minor = Integer.parseInt(version.substring(dot + 1));
        } catch (NumberFormatException e) {
            // The least it can be: newer fields are then left out, with a word about each.
        }
        boolean v2 = Fields.of(engine.info(), "info").string("CgroupVersion", "1").equals("2");
        return new EngineFacts(minor, v2, defaults.ownLogs());
    }
}
