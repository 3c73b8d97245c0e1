package dev.berth.cpi.docker;

import dev.berth.cpi.CpiServer;
import dev.berth.engine.DockerEngine;
import java.io.IOException;
import java.io.PrintStream;

/**
 * {@code berth cpi docker}: one request of the BOSH CPI contract on stdin, its response on stdout.
 */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws IOException {
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
}
