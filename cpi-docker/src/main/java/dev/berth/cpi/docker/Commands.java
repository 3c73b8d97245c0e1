package dev.berth.cpi.docker;

import dev.berth.cpi.CpiException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Runs the host's small tools ({@code losetup}, {@code mknod}), each for a moment. */
final class Commands {
    private static final int SECONDS = 30;

    private Commands() {}

    /** Returns what it printed; a failure is an error with what it printed. */
    static String run(String... command) {
        Result result = tryRun(command);
        if (result.exitCode() != 0) {
            throw new CpiException(
                    CpiException.Type.CLOUD_ERROR,
                    String.join(" ", command) + " failed: " + result.output());
        }
        return result.output();
    }

    record Result(int exitCode, String output) {}

    static Result tryRun(String... command) {
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            try (InputStream out = process.getInputStream()) {
                // These tools print a line or two; the limit is for the process, not the reading.
                if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                    throw new CpiException(
                            CpiException.Type.CLOUD_ERROR,
                            String.join(" ", command) + " did not end within " + SECONDS + " s");
                }
                String text = new String(out.readNBytes(65536), StandardCharsets.UTF_8).strip();
                return new Result(process.exitValue(), text);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CpiException(
                        CpiException.Type.UNKNOWN,
                        "interrupted during " + String.join(" ", command));
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw new CpiException(
                    CpiException.Type.CPI_ERROR,
                    "cannot run "
                            + command[0]
                            + ": "
                            + e.getMessage()
                            + " (util-linux and coreutils are needed)",
                    false,
                    e);
        }
    }
}
