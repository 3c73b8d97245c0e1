package dev.berth.cpi.docker;

import dev.berth.cpi.CpiContext;
import dev.berth.cpi.CpiServer;
import dev.berth.engine.DockerEngine;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;

/**
 * {@code berth cpi docker}: one request of the BOSH CPI contract on stdin, its response on stdout.
 */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws IOException {
        List<String> words = List.of(args);
        int purge = words.indexOf("--purge");
        if (purge >= 0 && purge + 1 < words.size()) {
            System.exit(purge(words.get(purge + 1)) ? 0 : 1);
        }
        PrintStream answer = System.out;
        // The contract allows nothing else there, whatever a library prints.
        System.setOut(System.err);
        new CpiServer(
                        context -> {
                            var settings = DockerCpiSettings.of(context, System.getenv());
                            return new DockerCpi(
                                    new DockerEngine(settings.socket()),
                                    settings.folder(),
                                    settings.overcommit());
                        })
                .serve(System.in, answer);
    }

    private static boolean purge(String director) {
        var settings =
                DockerCpiSettings.of(
                        new CpiContext(director, "purge", null, Map.of()), System.getenv());
        try (var engine = new DockerEngine(settings.socket())) {
            return new Purge(
                            new DockerCpi(engine, settings.folder(), settings.overcommit()),
                            engine,
                            director,
                            System.out)
                    .run();
        }
    }
}
