package dev.berth.cli;

import dev.berth.model.Fields;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/** Certificates of the environment and of its agents. */
final class CertificateCommands {
    private CertificateCommands() {}

    @Command(name = "certificates", description = "Which certificate ends when, and what hinders.")
    static final class Certificates extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            Fields told = Fields.of(api.object("/certificates"), "answer");
            var rows = new ArrayList<List<@Nullable String>>();
            for (Fields one : told.objects("certificates")) {
                rows.add(
                        row(
                                one.string("name"),
                                one.string("of"),
                                one.string("ends_at", "unknown"),
                                one.has("days_left") ? Long.toString(one.integer("days_left")) : "",
                                remark(one)));
            }
            screen.table(
                    "certificates", List.of("Name", "Of", "Ends", "Days Left", "Remark"), rows);
            if (told.flag("rotating", false)) {
                screen.note("");
                screen.line("The CA is being changed: two are trusted");
            }
        }

        private static String remark(Fields one) {
            String trouble = one.string("trouble", "");
            return trouble.isEmpty() && one.flag("former_ca", false) ? "of the former CA" : trouble;
        }
    }

    @Command(
            name = "renew-certificates",
            description = "Renews all certificates but the CA's now; stops no container.")
    static final class Renew extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            finish(api, screen, "/certificates/renew");
        }
    }

    @Command(
            name = "rotate-ca",
            description =
                    "Makes another CA; both are trusted until every agent has a certificate of it.")
    static final class Rotate extends DirectorCommand {
        @Override
        void run(Main main, Api api, Screen screen) {
            main.confirm();
            finish(api, screen, "/certificates/rotate_ca");
        }
    }

    private static void finish(Api api, Screen screen, String path) {
        long task = Api.taskOf(api.post(path, "application/json", "{}"));
        new TaskFollower(api, screen).succeed(task);
        screen.line(Fields.of(api.object("/tasks/" + task), "task").string("result", ""));
    }
}
