package dev.berth.agent;

import java.util.function.Supplier;

/**
 * The settings in force now; replaced as a whole when the director sends an overlay. Thread-safe.
 */
final class CurrentSettings implements Supplier<Settings> {
    private volatile Settings settings;

    CurrentSettings(Settings settings) {
        this.settings = settings;
    }

    @Override
    public Settings get() {
        return settings;
    }

    void set(Settings replacement) {
        settings = replacement;
    }
}
