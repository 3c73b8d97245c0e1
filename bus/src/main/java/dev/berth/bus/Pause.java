package dev.berth.bus;

/** Sleeping that tells whether it was let finish. */
final class Pause {
    private Pause() {}

    /** False when interrupted; the interrupt is kept. */
    static boolean millis(long millis) {
        try {
            Thread.sleep(millis);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
