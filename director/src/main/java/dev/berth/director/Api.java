package dev.berth.director;

import dev.berth.model.ProblemException;
import dev.berth.store.StoreException;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Answers calls: finds the endpoint, asks who calls, runs the handler, and turns what it throws
 * into the statuses and bodies of the protocol. Thread-safe.
 */
final class Api {
    private static final System.Logger LOG = System.getLogger(Api.class.getName());

    private static final Set<Integer> NOT_FOUND =
            Set.of(
                    10000, 20000, 30005, 30006, 50003, 70000, 70001, 70009, 100002, 110003, 440012,
                    810000);
    private static final Set<Integer> FAILURES = Set.of(70012, 500000, 500001, 810004);

    private final Router router;
    private final Users users;

    Api(Router router, Users users) {
        this.router = router;
        this.users = users;
    }

    /** Makes the call once its endpoint and its user are known. */
    interface Calls {
        Call with(Router.Match match, Users.User user);

        Call anonymous(Router.Match match);
    }

    /**
     * @param authorization header; null when absent
     */
    Reply answer(
            String method,
            String path,
            @Nullable String contentType,
            @Nullable String authorization,
            Calls calls) {
        try {
            Optional<Router.Match> match = router.match(method, path, contentType);
            Optional<Users.User> user = users.authenticate(authorization);
            if (match.isPresent() && match.get().access() == Access.ANYONE) {
                Router.Match open = match.get();
                return open.handler()
                        .handle(
                                user.map(u -> calls.with(open, u))
                                        .orElseGet(() -> calls.anonymous(open)));
            }
            if (user.isEmpty()) {
                return new Reply.Unauthenticated(path);
            }
            if (match.isEmpty()) {
                return Reply.notFound(path);
            }
            if (!user.get().may(match.get().access())) {
                return Reply.problem(401, 600000, "Require one of the scopes: bosh.admin");
            }
            return match.get().handler().handle(calls.with(match.get(), user.get()));
        } catch (Exception e) {
            return failure(method + " " + path, e);
        }
    }

    private static Reply failure(String request, Exception failure) {
        return switch (failure) {
            case ProblemException problem ->
                    Reply.problem(
                            status(problem.code()),
                            problem.code(),
                            String.valueOf(problem.getMessage()));
            case StoreException store -> {
                LOG.log(System.Logger.Level.ERROR, request + ": the store failed", store);
                yield Reply.problem(500, 500000, Failures.message(store));
            }
            default -> {
                LOG.log(System.Logger.Level.ERROR, request + " failed", failure);
                yield Reply.problem(
                        500,
                        500000,
                        "The director failed to answer "
                                + request
                                + "; its log says more ("
                                + failure.getClass().getSimpleName()
                                + ")");
            }
        };
    }

    private static int status(int code) {
        if (NOT_FOUND.contains(code)) {
            return 404;
        }
        if (FAILURES.contains(code)) {
            return 500;
        }
        return code == 90000 ? 422 : code == 600000 ? 401 : 400;
    }
}
