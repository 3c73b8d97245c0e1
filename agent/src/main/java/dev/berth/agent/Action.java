package dev.berth.agent;

import org.jspecify.annotations.Nullable;

/**
 * One method of the agent protocol.
 *
 * @param needs how many arguments there must be; more are ignored
 * @param cancellable whether {@code cancel_task} may end it
 */
record Action(String name, Manner manner, int needs, boolean cancellable, Body body) {
    /** When an action runs. */
    enum Manner {
        /** At once, whatever else goes on: it only looks. */
        LOOK,
        /** One at a time in the order of arrival; the reply carries the value. */
        IN_ORDER,
        /** One at a time in the background; the value comes from {@code get_task}. */
        BACKGROUND,
        /** The same, but beside the others: it changes nothing that they look at. */
        ASIDE
    }

    /** The work. What it throws becomes the failure's text. */
    @FunctionalInterface
    interface Body {
        @Nullable Object run(Arguments arguments, AgentCall call) throws Exception;
    }

    static Action look(String name, int needs, Body body) {
        return new Action(name, Manner.LOOK, needs, false, body);
    }

    static Action inOrder(String name, int needs, Body body) {
        return new Action(name, Manner.IN_ORDER, needs, false, body);
    }

    static Action background(String name, int needs, Body body) {
        return new Action(name, Manner.BACKGROUND, needs, false, body);
    }

    static Action aside(String name, int needs, Body body) {
        return new Action(name, Manner.ASIDE, needs, false, body);
    }

    static Action cancellableAside(String name, int needs, Body body) {
        return new Action(name, Manner.ASIDE, needs, true, body);
    }

    static Action cancellable(String name, int needs, Body body) {
        return new Action(name, Manner.BACKGROUND, needs, true, body);
    }
}
