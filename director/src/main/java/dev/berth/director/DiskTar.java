package dev.berth.director;

import dev.berth.bus.AgentStream;
import dev.berth.model.Fields;
import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import dev.berth.model.Json;
import dev.berth.store.Rows;
import dev.berth.wire.StreamEnd;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What a disk of a VM holds, as a tar archive that comes from its agent at the pace of the reader.
 * Ends with an error unless the agent says that all of it was sent. Not thread-safe.
 */
final class DiskTar extends InputStream {
    private static final Duration LOOK = Duration.ofSeconds(5);

    private final AgentStream stream;
    private final Runnable check;
    private final long usedBytes;
    private byte[] block = new byte[0];
    private int at;
    private boolean ended;
    private String said = "";

    private DiskTar(AgentStream stream, Runnable check, long usedBytes) {
        this.stream = stream;
        this.check = check;
        this.usedBytes = usedBytes;
    }

    /**
     * @param options for the agent: {@code live}, or the identity {@code of} which the data are
     * @param check throws when nobody wants it any more
     */
    static DiskTar open(
            Hands hands, Rows.Vm vm, String disk, Map<String, Object> options, Runnable check) {
        AgentStream stream = hands.agents().stream(vm.agent());
        try {
            var all = new java.util.LinkedHashMap<>(options);
            all.put("subject", stream.replyTo());
            stream.end().admit(StreamEnd.WIDE);
            all.put("window", StreamEnd.WIDE);
            Object answer =
                    hands.agents()
                            .call(
                                    vm.agent(),
                                    "read_disk",
                                    List.of(stream.end().session().toString(), disk, all),
                                    hands.patience().longCall());
            return new DiskTar(stream, check, Fields.of(answer, "answer").integer("used_bytes", 0));
        } catch (RuntimeException e) {
            stream.close();
            throw e;
        }
    }

    /** About as much as is to come; for an estimate. */
    long usedBytes() {
        return usedBytes;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        while (at == block.length) {
            if (ended) {
                return -1;
            }
            next();
        }
        int part = Math.min(length, block.length - at);
        System.arraycopy(block, at, into, offset, part);
        at += part;
        return part;
    }

    private void next() throws IOException {
        try {
            check.run();
            Frame frame = stream.end().take(LOOK);
            if (frame == null) {
                return;
            }
            stream.end().taken(frame);
            switch (frame.kind()) {
                case Frames.OUTPUT -> {
                    block = frame.payload();
                    at = 0;
                }
                case Frames.ERRORS -> said = new String(frame.payload(), StandardCharsets.UTF_8);
                case Frames.EXIT -> {
                    ended = true;
                    if (frame.intValue() != 0) {
                        throw new IOException("tar ended with " + frame.intValue() + ": " + said);
                    }
                }
                default -> {}
            }
        } catch (StreamEnd.Broken e) {
            throw new IOException("the disk cannot be read to its end: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException("interrupted");
        }
    }

    @Override
    public void close() {
        stream.close();
    }

    /** Sends an archive into a blank disk; closing it unfinished leaves the disk half filled. */
    static final class Fill implements AutoCloseable {
        private final AgentStream stream;
        private final int longest;

        private Fill(AgentStream stream, int longest) {
            this.stream = stream;
            this.longest = longest;
        }

        static Fill open(Hands hands, Rows.Vm vm, String disk) {
            AgentStream stream = hands.agents().stream(vm.agent());
            try {
                Object answer =
                        hands.agents()
                                .call(
                                        vm.agent(),
                                        "fill_disk",
                                        List.of(
                                                stream.end().session().toString(),
                                                disk,
                                                Json.of("subject", stream.replyTo())),
                                        hands.patience().longCall());
                long window = Fields.of(answer, "answer").integer("window", 0);
                return new Fill(stream, stream.end().widen(window));
            } catch (RuntimeException e) {
                stream.close();
                throw e;
            }
        }

        void write(byte[] bytes) throws IOException {
            try {
                for (int from = 0; from < bytes.length; from += longest) {
                    int to = Math.min(bytes.length, from + longest);
                    stream.end()
                            .send(
                                    new Frame(
                                            Frames.INPUT,
                                            java.util.Arrays.copyOfRange(bytes, from, to)));
                }
            } catch (StreamEnd.Broken e) {
                throw new IOException("the disk cannot be filled: " + e.getMessage(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new java.io.InterruptedIOException("interrupted");
            }
        }

        /** Returns when all of it is on the disk. */
        void finish(Runnable check) throws IOException {
            try {
                stream.end().send(new Frame(Frames.INPUT_END));
                String said = "";
                while (true) {
                    check.run();
                    Frame frame = stream.end().take(LOOK);
                    if (frame == null) {
                        continue;
                    }
                    stream.end().taken(frame);
                    if (frame.kind() == Frames.ERRORS) {
                        said = new String(frame.payload(), StandardCharsets.UTF_8);
                    } else if (frame.kind() == Frames.EXIT) {
                        if (frame.intValue() != 0) {
                            throw new IOException("tar: " + said);
                        }
                        return;
                    }
                }
            } catch (StreamEnd.Broken e) {
                throw new IOException("the disk cannot be filled: " + e.getMessage(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new java.io.InterruptedIOException("interrupted");
            }
        }

        @Override
        public void close() {
            stream.close();
        }
    }
}
