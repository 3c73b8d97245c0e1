package dev.berth.acceptance.fleet;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * How the benchmark speaks to a process of the fleet: a line of words in, a line out; lines that
 * begin with {@code !} tell what happened by itself. Thread-safe.
 */
final class Orders {
    /** What is to be done at a line of words; its answer is one line. */
    interface Work {
        String at(List<String> words) throws Exception;
    }

    /** Until the other end closes. */
    void serve(Work work) throws Exception {
        try (var in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            say("ready");
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String answer;
                try {
                    answer = work.at(List.of(line.split(" ")));
                } catch (IOException | RuntimeException e) {
                    e.printStackTrace();
                    answer = "failed: " + e;
                }
                say(answer);
            }
        }
    }

    void tell(String event) {
        say("! " + event);
    }

    private synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
