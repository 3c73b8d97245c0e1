package dev.berth.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParentCommand;

/** A command that talks to the director. */
abstract class DirectorCommand implements Callable<Integer> {
    @ParentCommand @Nullable Main main;

    @Override
    public Integer call() {
        Api api = main().api();
        Screen screen = main().screen();
        screen.note(
                "Using environment '"
                        + api.target().url()
                        + "' as client '"
                        + api.target().user()
                        + "'");
        screen.note("");
        run(main(), api, screen);
        screen.note("");
        screen.note("Succeeded");
        return 0;
    }

    Main main() {
        return Objects.requireNonNull(main);
    }

    /** Does the work; trouble is a {@link CliException}. */
    abstract void run(Main main, Api api, Screen screen);

    /** Cells of a table's row. */
    static List<@Nullable String> row(@Nullable String... cells) {
        return Arrays.asList(cells);
    }

    /** Begins what an accepted request became, and shows it to its end. */
    static void follow(Api api, Screen screen, Api.Answer accepted) {
        new TaskFollower(api, screen).succeed(Api.taskOf(accepted));
    }
}
