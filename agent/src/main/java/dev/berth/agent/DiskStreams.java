package dev.berth.agent;

import dev.berth.model.DiskCid;
import dev.berth.model.Fields;
import dev.berth.model.Frames;
import dev.berth.model.Frames.Frame;
import dev.berth.model.Json;
import dev.berth.wire.StreamEnd;
import dev.berth.wire.StreamFrame;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * What a disk holds, as a tar archive over the bus: out of it for a backup, into a blank one for a
 * restore. Always of a disk aside, which no container uses: one made of a snapshot, or a new one.
 * The archive is never kept in the VM. Sessions are as those of commands; thread-safe.
 */
final class DiskStreams implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(DiskStreams.class.getName());
    private static final Duration LOOK = Duration.ofSeconds(5);
    private static final Duration LINGER = Duration.ofSeconds(5);

    /** At a time in this VM. */
    private static final int MOST = 4;

    /** What belongs to the disk and not to its data. */
    private static final List<String> LEFT_OUT = DiskMarks.OWN;

    private final DiskDevices devices;
    private final Disks disks;
    private final DiskTools tools;
    private final Programs programs;
    private final Layout layout;
    private final Bus bus;
    private final Map<UUID, Session> sessions = new ConcurrentHashMap<>();

    DiskStreams(
            DiskDevices devices,
            Disks disks,
            DiskTools tools,
            Programs programs,
            Layout layout,
            Bus bus) {
        this.devices = devices;
        this.disks = disks;
        this.tools = tools;
        this.programs = programs;
        this.layout = layout;
        this.bus = bus;
    }

    List<Action> all() {
        return List.of(
                Action.aside("read_disk", 3, (a, call) -> open(a, false)),
                Action.aside("fill_disk", 3, (a, call) -> open(a, true)));
    }

    /** Where disks are mounted aside; what an earlier life of the agent left there is let go. */
    private Path folder() {
        return layout.base().resolve("backup");
    }

    void endLeftOver() {
        for (DiskTools.Mount mount : tools.mounts()) {
            if (mount.at().startsWith(folder())) {
                programs.run(Duration.ofSeconds(30), "umount", mount.at().toString());
            }
        }
    }

    /** A message of the bus; never waits. */
    void accept(byte[] message) {
        StreamFrame.parse(message)
                .ifPresent(frame -> {
                    Session session = sessions.get(frame.session());
                    if (session != null) {
                        session.end.accept(frame);
                    }
                });
    }

    private Map<String, Object> open(Arguments a, boolean fill) {
        UUID id = UUID.fromString(a.string(0));
        var cid = new DiskCid(a.string(1));
        Fields options = a.object(2, "options");
        var session = new Session(id, options.string("subject"), cid);
        synchronized (sessions) {
            if (sessions.size() >= MOST) {
                session.end.close();
                throw new ActionException(MOST + " disks are read or filled already");
            }
            sessions.put(id, session);
        }
        try {
            return fill ? session.beginFill(options) : session.beginRead(options);
        } catch (RuntimeException e) {
            sessions.remove(id);
            session.end.close(ActionException.words(e));
            throw e;
        }
    }

    @Override
    public void close() {
        sessions.values().forEach(s -> s.end.close("the agent of the VM stops"));
    }

    private static List<String> tarOut(Path at) {
        var command =
                new ArrayList<>(
                        List.of(
                                "tar",
                                "-C",
                                at.toString(),
                                "--one-file-system",
                                "--sort=name",
                                "--format=posix",
                                "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
                                "--sparse",
                                "--xattrs",
                                "--xattrs-include=*",
                                "--acls",
                                "--numeric-owner"));
        LEFT_OUT.forEach(name -> command.add("--exclude=./" + name));
        command.addAll(List.of("-cf", "-", "."));
        return command;
    }

    private static List<String> tarIn(Path at) {
        return List.of(
                "tar",
                "-C",
                at.toString(),
                "--xattrs",
                "--xattrs-include=*",
                "--acls",
                "--numeric-owner",
                "-xpf",
                "-");
    }

    private static long used(Path at) {
        try {
            var store = Files.getFileStore(at);
            return store.getTotalSpace() - store.getUnallocatedSpace();
        } catch (IOException e) {
            return 0;
        }
    }

    /** One of them, in a thread of its own. */
    private final class Session {
        private final UUID id;
        private final StreamEnd end;
        private final DiskCid cid;

        Session(UUID id, String subject, DiskCid cid) {
            this.id = id;
            this.cid = cid;
            this.end = new StreamEnd(id, frame -> bus.stream(subject, frame));
        }

        private void start(Path at, boolean mounted, Work work) {
            Thread.ofVirtual()
                    .name("disk " + cid)
                    .start(() -> {
                        try {
                            conclude(ended(at, mounted, work));
                        } catch (StreamEnd.Broken e) {
                            LOG.log(System.Logger.Level.INFO, "disk={0} stream ended: {1}", cid, e);
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                            end.close("the agent of the VM stops");
                        } catch (IOException | RuntimeException e) {
                            end.close(ActionException.words(e));
                        } finally {
                            finish();
                        }
                    });
        }

        /** Who hears of the end may take the disk away: by then it is mounted no more. */
        private Programs.Result ended(Path at, boolean mounted, Work work)
                throws IOException, InterruptedException, StreamEnd.Broken {
            try {
                return work.run();
            } finally {
                if (mounted) {
                    letGo(at);
                }
            }
        }

        private void conclude(Programs.Result tar) throws InterruptedException, StreamEnd.Broken {
            if (!tar.ok()) {
                end.send(
                        new Frame(
                                Frames.ERRORS,
                                tar.output().strip().getBytes(StandardCharsets.UTF_8)));
            }
            end.send(Frame.ofInt(Frames.EXIT, tar.code()));
        }

        private void letGo(Path at) {
            try {
                tools.unmount(at);
                Files.deleteIfExists(at);
            } catch (ActionException | IOException e) {
                LOG.log(System.Logger.Level.WARNING, "disk={0} stays mounted: {1}", cid, e);
            }
        }

        /** The other end hears the last of it before it hears of the end. */
        private void finish() {
            sessions.remove(id);
            Thread.ofVirtual()
                    .start(() -> {
                        try {
                            Thread.sleep(LINGER);
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                        end.close("it is over");
                        // The heap has grown by the blocks that passed, and an agent at rest
                        // makes too little garbage to give that back by itself.
                        System.gc();
                    });
        }

        /**
         * @param options {@code live}: the disk may be read where it is mounted, for its containers
         *     are stopped; {@code of}: the identity it is to carry; {@code window}: how much may be
         *     under way to the director
         */
        Map<String, Object> beginRead(Fields options) {
            boolean live = options.flag("live", false);
            int longest = end.widen(options.integer("window", 0));
            Path at = live ? disks.mountPoint(cid) : asideForReading(options.string("of"));
            start(at, !live, () -> send(at, longest));
            return Json.of("used_bytes", used(at));
        }

        private Path asideForReading(String of) {
            Path device = devices.await(cid).path();
            Path at = folder().resolve(id.toString());
            if (!(tools.look(device) instanceof DiskTools.Content.FileSystem fs)) {
                throw new ActionException("disk " + cid + " carries no file system we mount");
            }
            tools.mount(device, at, fs.type(), AsideMount.options(programs, device, fs.type()));
            String found = DiskMarks.identity(at).orElse("none");
            if (!found.equals(of)) {
                letGo(at);
                throw new ActionException(
                        "disk " + cid + " should hold the data of " + of + " and holds " + found);
            }
            return at;
        }

        private Programs.Result send(Path at, int longest)
                throws IOException, InterruptedException, StreamEnd.Broken {
            Process tar = started(tarOut(at));
            try (InputStream out = tar.getInputStream()) {
                byte[] block = new byte[longest];
                for (int n = out.readNBytes(block, 0, block.length);
                        n > 0;
                        n = out.readNBytes(block, 0, block.length)) {
                    end.send(new Frame(Frames.OUTPUT, Arrays.copyOf(block, n)));
                }
                return result(tar);
            } finally {
                tar.destroyForcibly();
            }
        }

        private Process started(List<String> command) throws IOException {
            var builder = new ProcessBuilder(command);
            builder.environment().put("LC_ALL", "C");
            return builder.start();
        }

        /** Waits for the end of a program whose input and output are over. */
        private Programs.Result result(Process tar) throws InterruptedException {
            var said = new Programs.Tail(tar.getErrorStream());
            Thread reader = Thread.ofVirtual().start(said);
            if (!tar.waitFor(1, TimeUnit.HOURS)) {
                throw new ActionException("tar does not end");
            }
            reader.join(1000);
            return new Programs.Result(tar.exitValue(), said.text());
        }

        /**
         * @param options the file system is as the disk's own options say
         */
        Map<String, Object> beginFill(Fields options) {
            Path at = folder().resolve(id.toString());
            disks.placeAside(cid, at);
            end.admit(StreamEnd.WIDE);
            start(at, true, () -> receive(at));
            return Json.of("file_system", "made", "window", StreamEnd.WIDE);
        }

        private Programs.Result receive(Path at)
                throws IOException, InterruptedException, StreamEnd.Broken {
            Process tar = started(tarIn(at));
            try {
                feed(tar);
                Programs.Result result = result(tar);
                Programs.Result synced =
                        programs.run(Duration.ofHours(1), "sync", "-f", at.toString());
                return result.ok() ? synced : result;
            } finally {
                tar.destroyForcibly();
            }
        }

        private void feed(Process tar) throws IOException, InterruptedException, StreamEnd.Broken {
            try (OutputStream in = tar.getOutputStream()) {
                while (true) {
                    Frame frame = end.take(LOOK);
                    if (frame == null) {
                        continue;
                    }
                    if (frame.kind() == Frames.INPUT) {
                        in.write(frame.payload());
                    }
                    end.taken(frame);
                    if (frame.kind() == Frames.INPUT_END) {
                        return;
                    }
                }
            } catch (IOException e) {
                // It ended before its input did, and says why.
                Programs.Result result = result(tar);
                throw new IOException(result.output().strip(), e);
            }
        }
    }

    private interface Work {
        Programs.Result run() throws IOException, InterruptedException, StreamEnd.Broken;
    }
}
