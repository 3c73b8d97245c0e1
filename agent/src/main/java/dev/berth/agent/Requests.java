package dev.berth.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.berth.model.Json;
import dev.berth.wire.AgentReply;
import dev.berth.wire.AgentRequest;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Takes requests from the bus and sees that each gets its reply: looks at once, other short actions
 * in order, long ones as background calls. {@link #accept} never blocks on an action, so {@code
 * ping} and {@code get_state} are answered whatever else goes on.
 */
final class Requests {
    private static final System.Logger LOG = System.getLogger(Requests.class.getName());
    static final int LARGEST_REPLY = 1_048_576;
    private static final int WAITING = 256;
    private static final int REMEMBERED = 256;

    private final Map<String, Action> actions;
    private final CallQueue calls;
    private final Bus bus;

    /**
     * Reply subjects of the last requests: each is used once, so one that comes again is the same
     * request delivered twice, as happens while the link moves from one connection to another.
     */
    private final Set<String> recent =
            Collections.newSetFromMap(
                    new LinkedHashMap<>() {
                        private static final long serialVersionUID = 1;

                        @Override
                        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
                            return size() > REMEMBERED;
                        }
                    });

    private final LinkedBlockingQueue<Runnable> inOrder = new LinkedBlockingQueue<>(WAITING);

    Requests(List<Action> actions, CallQueue calls, Bus bus) {
        this.actions =
                actions.stream().collect(Collectors.toMap(Action::name, Function.identity()));
        this.calls = calls;
        this.bus = bus;
    }

    Thread start() {
        return Thread.ofVirtual()
                .name("actions")
                .start(() -> {
                    try {
                        while (true) {
                            inOrder.take().run();
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    /** One message of {@code agent.<id>}; what cannot be read gets no reply, as in BOSH. */
    void accept(byte[] message) {
        AgentRequest request;
        try {
            request = AgentRequest.fromTree(Json.object(message));
        } catch (IllegalArgumentException e) {
            LOG.log(System.Logger.Level.WARNING, "a request cannot be read: {0}", e.getMessage());
            return;
        }
        if (isRepeated(request)) {
            return;
        }
        Action action = actions.get(request.method());
        if (action == null) {
            send(request, new AgentReply.Failure("unknown message " + request.method()));
            return;
        }
        var arguments = new Arguments(request.arguments());
        switch (manner(action, request)) {
            case LOOK -> Thread.ofVirtual().start(() -> send(request, runNow(action, arguments)));
            case IN_ORDER -> {
                if (!inOrder.offer(() -> send(request, runNow(action, arguments)))) {
                    send(
                            request,
                            failed(action, new ActionException("too many requests are waiting")));
                }
            }
            case BACKGROUND, ASIDE -> send(request, begin(action, arguments));
        }
    }

    private boolean isRepeated(AgentRequest request) {
        synchronized (recent) {
            return !recent.add(request.replyTo());
        }
    }

    /** Takes up a call that an earlier life of the agent had promised to end. */
    void resume(String callId, String method, List<Object> arguments) {
        Action action = actions.get(method);
        if (action != null) {
            submit(callId, action, new Arguments(arguments));
        }
    }

    private static Action.Manner manner(Action action, AgentRequest request) {
        // Old directors wait for the value of list_disk in its first reply.
        return action.name().equals("list_disk") && request.protocol() < 3
                ? Action.Manner.IN_ORDER
                : action.manner();
    }

    private AgentReply begin(Action action, Arguments arguments) {
        try {
            String id = UUID.randomUUID().toString();
            submit(id, action, arguments);
            return new AgentReply.Running(id); // even when it is over already: who asked will poll
        } catch (ActionException e) {
            return failed(action, e);
        }
    }

    private void submit(String id, Action action, Arguments arguments) {
        LOG.log(System.Logger.Level.DEBUG, "call={0} action={1} state=queued", id, action.name());
        Function<AgentCall, AgentReply> work = call -> carriedOut(id, action, arguments, call);
        if (action.manner() == Action.Manner.ASIDE) {
            calls.submitAside(id, action.cancellable(), work);
        } else {
            calls.submit(id, action.cancellable(), work);
        }
    }

    private AgentReply carriedOut(String id, Action action, Arguments arguments, AgentCall call) {
        try {
            if (call.isCancelled()) {
                throw new ActionException("cancelled before it began");
            }
            arguments.atLeast(action.needs());
            AgentReply reply = new AgentReply.Value(action.body().run(arguments, call));
            LOG.log(System.Logger.Level.INFO, "call={0} action={1} state=done", id, action.name());
            return bounded(reply);
        } catch (Exception | Error e) {
            String words = wordsOf(action, e);
            LOG.log(
                    System.Logger.Level.WARNING,
                    "call={0} action={1} state=failed reason={2}",
                    id,
                    action.name(),
                    words);
            return bounded(
                    new AgentReply.Failure(
                            "Action Failed get_task: Task " + id + " result: " + words));
        }
    }

    private AgentReply runNow(Action action, Arguments arguments) {
        try {
            arguments.atLeast(action.needs());
            // A reply as value is passed on as it is: get_task answers with another call's.
            return switch (action.body().run(arguments, new AgentCall("", false))) {
                case AgentReply reply -> reply;
                case null -> new AgentReply.Value(null);
                case Object value -> new AgentReply.Value(value);
            };
        } catch (Exception | Error e) {
            LOG.log(System.Logger.Level.DEBUG, "action={0} state=failed", action.name());
            return failed(action, e);
        }
    }

    private static AgentReply failed(Action action, Throwable e) {
        return new AgentReply.Failure(
                "Action Failed " + action.name() + ": " + wordsOf(action, e),
                ActionException.diskOf(e));
    }

    private static String wordsOf(Action action, Throwable e) {
        boolean expected =
                e instanceof ActionException
                        || e instanceof dev.berth.engine.EngineException
                        || e instanceof IllegalArgumentException
                        || e instanceof java.io.IOException
                        || e instanceof dev.berth.model.ProblemException;
        if (!expected) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    "action=" + action.name() + " failed unexpectedly",
                    e);
        }
        return ActionException.words(e);
    }

    private void send(AgentRequest request, AgentReply reply) {
        bus.reply(request.replyTo(), envelope(bounded(reply)));
    }

    private static byte[] envelope(AgentReply reply) {
        return Json.write(reply.toTree()).getBytes(UTF_8);
    }

    /** The bus carries a mebibyte: a longer failure loses its middle, a longer value everything. */
    static AgentReply bounded(AgentReply reply) {
        if (envelope(reply).length <= LARGEST_REPLY) {
            return reply;
        }
        if (reply instanceof AgentReply.Failure failure) {
            for (int keep = LARGEST_REPLY / 2; ; keep /= 2) {
                AgentReply cut =
                        new AgentReply.Failure(middleCut(failure.message(), keep), failure.disk());
                if (envelope(cut).length <= LARGEST_REPLY) {
                    return cut;
                }
            }
        }
        return new AgentReply.Failure("Response exceeded maximum allowed length");
    }

    private static String middleCut(String text, int keep) {
        if (text.length() <= keep) {
            return text;
        }
        int head = keep / 2;
        int tail = text.length() - keep / 2;
        // Not between the two halves of a character beyond the basic plane.
        head -= Character.isHighSurrogate(text.charAt(head - 1)) ? 1 : 0;
        tail += Character.isLowSurrogate(text.charAt(tail)) ? 1 : 0;
        return text.substring(0, head) + "\n...[truncated]...\n" + text.substring(tail);
    }
}
