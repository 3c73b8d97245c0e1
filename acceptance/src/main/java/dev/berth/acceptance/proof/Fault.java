package dev.berth.acceptance.proof;

/**
 * Something that goes wrong, or is changed, under databases that are written to.
 *
 * @param name for {@code --only}
 * @param what goes wrong, in a line
 * @param runs in a full proof
 * @param quick in a short one
 */
record Fault(String name, String what, int runs, int quick, Strike strike) {
    /** Does it, and returns when whatever it began has come to its end. */
    @FunctionalInterface
    interface Strike {
        /**
         * @param round from 0
         * @return false when there is nothing more to do: the rounds before were all there are
         */
        boolean run(Stage stage, int round);
    }

    /** One that can be done as often as is asked for. */
    static Fault of(
            String name, String what, int runs, int quick, java.util.function.Consumer<Stage> act) {
        return new Fault(
                name,
                what,
                runs,
                quick,
                (stage, round) -> {
                    act.accept(stage);
                    return true;
                });
    }
}
