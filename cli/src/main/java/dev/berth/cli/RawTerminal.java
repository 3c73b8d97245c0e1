package dev.berth.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The terminal of standard input, handing every key on as it is until {@link #close}. Its settings
 * come back whatever happens: by closing, by a hook when the program is ended, and by a process
 * beside it when it is killed.
 */
final class RawTerminal implements AutoCloseable {
    private static final long LIMIT_SECONDS = 5;

    /** Columns and rows; zero: unknown. */
    record Size(int columns, int rows) {}

    private final String saved;
    private final Process guard;
    private final Thread hook = new Thread(this::restore);
    private boolean restored;

    private RawTerminal(String saved, Process guard) {
        this.saved = saved;
        this.guard = guard;
    }

    /** Whether standard input is a terminal. */
    static boolean isInput() {
        return run(List.of("/bin/sh", "-c", "test -t 0")) != null;
    }

    /**
     * From now on keys are not interpreted, not even Ctrl-C.
     *
     * @throws CliException when standard input is no terminal
     */
    static RawTerminal begin() {
        String settings = isInput() ? run(List.of("stty", "-g")) : null;
        if (settings == null || !settings.strip().matches("[0-9a-f:=]+")) {
            throw new CliException(
                    "standard input is not a terminal: leave out -t, and give input with -i");
        }
        try {
            var terminal = new RawTerminal(settings.strip(), guard(settings.strip()));
            Runtime.getRuntime().addShutdownHook(terminal.hook);
            if (run(List.of("stty", "raw", "-echo")) == null) {
                terminal.close();
                throw new CliException("the terminal cannot be set up: stty raw failed");
            }
            return terminal;
        } catch (IOException e) {
            throw new CliException("the terminal cannot be set up: " + e.getMessage(), e);
        }
    }

    /** Reads to the end of our life, then sets the terminal; deaf to what ends us. */
    private static Process guard(String saved) throws IOException {
        return new ProcessBuilder(
                        "/bin/sh",
                        "-c",
                        "trap '' INT TERM HUP QUIT TTOU TSTP; read -r word; stty "
                                + saved
                                + " < /dev/tty 2> /dev/null")
                .redirectOutput(Redirect.DISCARD)
                .redirectError(Redirect.DISCARD)
                .start();
    }

    static Size size() {
        String told = run(List.of("stty", "size"));
        String[] words = told == null ? new String[0] : told.strip().split(" ");
        return words.length == 2 && words[0].matches("\\d{1,5}") && words[1].matches("\\d{1,5}")
                ? new Size(Integer.parseInt(words[1]), Integer.parseInt(words[0]))
                : new Size(0, 0);
    }

    /**
     * Calls whenever the window changes its size. By reflection: the compiler warns of the class,
     * which is not the platform's API, and there is no other way to hear of it.
     */
    static void onResize(Runnable told) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object ours =
                    Proxy.newProxyInstance(
                            RawTerminal.class.getClassLoader(),
                            new Class<?>[] {handler},
                            (proxy, method, arguments) -> {
                                if (method.getName().equals("handle")) {
                                    told.run();
                                }
                                return null;
                            });
            Object winch = signal.getConstructor(String.class).newInstance("WINCH");
            Object ignored = signal.getMethod("handle", signal, handler).invoke(null, winch, ours);
        } catch (ReflectiveOperationException e) {
            // The window keeps the size it had at the start.
        }
    }

    @Override
    public void close() {
        restore();
        try {
            boolean ignored = Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The hook is what brought us here.
        }
    }

    private synchronized void restore() {
        if (restored) {
            return;
        }
        restored = true;
        String ignored = run(List.of("stty", saved));
        try (OutputStream end = guard.getOutputStream()) {
            end.write('\n');
        } catch (IOException e) {
            // It has ended by itself, having done the same.
        }
        try {
            boolean done = guard.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
            if (!done) {
                guard.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What it prints, with our standard input as its own; null when it fails. */
    private static @Nullable String run(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(new ArrayList<>(command))
                            .redirectInput(Redirect.INHERIT)
                            .redirectError(Redirect.DISCARD)
                            .start();
            String said =
                    new String(process.getInputStream().readNBytes(4096), StandardCharsets.UTF_8);
            return process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0
                    ? said
                    : null;
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }
}
