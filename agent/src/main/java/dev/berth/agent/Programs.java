package dev.berth.agent;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The VM's own programs (mkfs, iptables, tar, ...). Blocking; thread-safe. */
interface Programs {
    /**
     * Runs to the end; a program that is missing is a result with code 127.
     *
     * @param limit after which it is killed and the result has code 124
     */
    Result run(List<String> command, Duration limit);

    default Result run(Duration limit, String... command) {
        return run(List.of(command), limit);
    }

    /** Both streams in one text, its end at most {@value #KEPT} bytes. */
    record Result(int code, String output) {
        boolean ok() {
            return code == 0;
        }

        /** The output, or what failed with it. */
        String orFail(String what) {
            if (!ok()) {
                throw new ActionException(
                        what
                                + ": exit status "
                                + code
                                + (output.isBlank() ? "" : ": " + output.strip()));
            }
            return output;
        }
    }

    int KEPT = 16 * 1024;

    /** The real ones. */
    final class Real implements Programs {
        private static final Map<String, String> PLACES =
                Map.of(
                        "PATH",
                        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                        "LC_ALL",
                        "C");

        @Override
        public Result run(List<String> command, Duration limit) {
            Process process;
            try {
                var builder =
                        new ProcessBuilder(command)
                                .redirectErrorStream(true)
                                .redirectInput(Path.of("/dev/null").toFile());
                builder.environment().putAll(PLACES);
                process = builder.start();
            } catch (IOException e) {
                return new Result(127, ActionException.words(e));
            }
            var tail = new Tail(process.getInputStream());
            Thread reader = Thread.ofVirtual().start(tail);
            try {
                if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                    process.descendants().forEach(ProcessHandle::destroyForcibly);
                    process.destroyForcibly();
                    return new Result(
                            124, "no end within " + limit.toSeconds() + " s\n" + tail.text());
                }
                reader.join(1000); // a grandchild may hold the pipe; what came so far is enough
                return new Result(process.exitValue(), tail.text());
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
                throw new ActionException("interrupted while running " + command.getFirst(), e);
            }
        }
    }

    /** Reads a stream to its end and keeps the last bytes. */
    final class Tail implements Runnable {
        private final InputStream in;
        private final byte[] ring = new byte[KEPT];
        private long count;

        Tail(InputStream in) {
            this.in = in;
        }

        @Override
        public void run() {
            byte[] block = new byte[4096];
            try {
                for (int n = in.read(block); n >= 0; n = in.read(block)) {
                    keep(block, n);
                }
            } catch (IOException e) {
                // The process is gone and so is its pipe: what came so far is what there is.
            }
        }

        private synchronized void keep(byte[] block, int n) {
            for (int i = 0; i < n; i++) {
                ring[(int) (count++ % KEPT)] = block[i];
            }
        }

        synchronized String text() {
            int size = (int) Math.min(count, KEPT);
            byte[] ordered = new byte[size];
            for (int i = 0; i < size; i++) {
                ordered[i] = ring[(int) ((count - size + i) % KEPT)];
            }
            return new String(ordered, StandardCharsets.UTF_8);
        }
    }
}
