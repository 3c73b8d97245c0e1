package dev.berth.alerts;

import dev.berth.model.Json;
import java.io.PrintStream;
import java.util.List;

/** JSON lines to where whoever started the director reads. */
final class StdoutSink implements Sink {
    private final PrintStream out;

    StdoutSink(PrintStream out) {
        this.out = out;
    }

    @Override
    public String deliver(List<Notice> notices) throws SinkException {
        out.println(Json.write(notices.getFirst().shown()));
        if (out.checkError()) {
            throw new SinkException(SinkException.Kind.AWAY, "standard output cannot be written");
        }
        return "written to standard output";
    }
}
