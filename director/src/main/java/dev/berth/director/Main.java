package dev.berth.director;

import dev.berth.cpi.CpiException;
import dev.berth.model.Clock;
import dev.berth.model.ProblemException;
import dev.berth.store.StoreException;
import dev.berth.store.StoreHeldException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * {@code berth director}: runs the director of the environment at BERTH_HOME until it is told to
 * end.
 */
public final class Main {
    /**
     * The logging framework holds loggers weakly: a level that was set would be lost with its
     * logger.
     */
    private static final List<Logger> QUIETED = new ArrayList<>();

    /** What the world does to us: its words are enough. */
    private static final Set<Class<?>> EXPECTED =
            Set.of(
                    IOException.class,
                    UncheckedIOException.class,
                    IllegalStateException.class, // what bus, registry and engine refuse with
                    ProblemException.class,
                    CpiException.class,
                    StoreException.class,
                    StoreHeldException.class);

    private Main() {}

    public static void main(String[] args) throws InterruptedException {
        // One line an event: the log is read by people and by grep.
        System.setProperty(
                "java.util.logging.SimpleFormatter.format", "%1$tFT%1$tT.%1$tL %4$s %5$s%6$s%n");
        // Libraries tell of every ordinary step; what they warn of is worth a line.
        for (String library : List.of("org.flywaydb", "com.zaxxer", "org.eclipse.jetty")) {
            Logger logger = Logger.getLogger(library);
            logger.setLevel(Level.WARNING);
            QUIETED.add(logger);
        }
        if (args.length > 0 && args[0].equals("--train")) {
            TrainingRun.run();
            System.exit(0); // threads of the rehearsal would keep it alive
        }
        String home = System.getenv("BERTH_HOME");
        if (home == null) {
            System.err.println(
                    "BERTH_HOME is not set; start the director with the launcher: ./berth up");
            System.exit(2);
            return;
        }
        Director director;
        try {
            director = Director.start(Path.of(home), Clock.SYSTEM);
        } catch (IOException | RuntimeException e) {
            System.err.println("the director cannot start: " + e.getMessage());
            if (!EXPECTED.contains(e.getClass())) {
                e.printStackTrace(); // a fault of ours: show where
            }
            System.exit(1);
            return;
        }
        HeapKeeper.begin();
        var ended = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(() -> {
                            director.close();
                            ended.countDown();
                        }));
        ended.await();
    }
}
