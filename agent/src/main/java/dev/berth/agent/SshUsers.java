package dev.berth.agent;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** {@code ssh}: temporary users, whose names begin with {@value #PREFIX}. */
final class SshUsers {
    private static final String PREFIX = "bosh_";
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final Layout layout;
    private final Programs programs;
    private final Supplier<Settings> settings;

    SshUsers(Layout layout, Programs programs, Supplier<Settings> settings) {
        this.layout = layout;
        this.programs = programs;
        this.settings = settings;
    }

    Map<String, Object> run(Arguments a) throws IOException {
        Fields params = a.object(1, "ssh");
        return switch (a.string(0)) {
            case "setup" -> setup(params.string("user"), params.string("public_key"));
            case "cleanup" -> cleanup(params.string("user_regex"));
            default -> throw new ActionException("Unknown command for SSH method: " + a.string(0));
        };
    }

    private Map<String, Object> setup(String user, String key) throws IOException {
        if (!user.matches("bosh_[a-z0-9_\\-]{1,27}") || key.lines().count() != 1) {
            throw new ActionException(
                    "a temporary user needs a name that begins with bosh_ and one public key");
        }
        // Everything that may be missing is looked at before a user is made that would be left
        // behind.
        String hostKey =
                DurableFile.read(layout.etc().resolve("ssh/ssh_host_rsa_key.pub"))
                        .orElseThrow(() ->
                                new ActionException(
                                        "this VM has no SSH host key: no SSH server is installed"));
        String ip = address();
        Path home = layout.base().resolve("bosh_ssh").resolve(user);
        Files.createDirectories(home.resolveSibling(""));
        String ignored =
                programs.run(LIMIT, "useradd", "-m", "-d", home.toString(), "-s", "/bin/bash", user)
                        .orFail("cannot make user " + user);
        for (String group : List.of("vcap", "admin", "bosh_sudoers", "bosh_sshers")) {
            programs.run(
                    LIMIT, "usermod", "-aG", group, user); // groups a stemcell lacks are no failure
        }
        Path folder = Files.createDirectories(home.resolve(".ssh"));
        Path keys = Files.writeString(folder.resolve("authorized_keys"), key.strip() + "\n");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-------"));
        String owned =
                programs.run(LIMIT, "chown", "-R", user + ":", folder.toString())
                        .orFail("cannot give " + folder + " to " + user);
        return Json.of(
                "command",
                "setup",
                "status",
                "success",
                "ip",
                ip,
                "host_public_key",
                hostKey.strip());
    }

    /** The default network's address, or any. */
    private String address() {
        Map<String, Object> networks = settings.get().document().networks();
        return networks.values().stream()
                .map(n -> Fields.of(n, "network"))
                .filter(n -> !n.string("ip", "").isEmpty())
                .sorted(java.util.Comparator.comparing(n -> n.list("default").isEmpty()))
                .map(n -> n.string("ip"))
                .findFirst()
                .or(Networks::ownAddress)
                .orElseThrow(() -> new ActionException("No networks found in settings"));
    }

    private Map<String, Object> cleanup(String expression) {
        Pattern wanted;
        try {
            wanted = Pattern.compile(expression);
        } catch (PatternSyntaxException e) {
            throw new ActionException(
                    "user_regex is no regular expression: " + e.getDescription(), e);
        }
        DurableFile.read(layout.etc().resolve("passwd"))
                .orElse("")
                .lines()
                .map(line -> line.split(":", 2)[0])
                .filter(name -> name.startsWith(PREFIX) && wanted.matcher(name).find())
                .forEach(name -> {
                    String ignored =
                            programs.run(LIMIT, "userdel", "-rf", name)
                                    .orFail("cannot remove user " + name);
                });
        return Json.of("command", "cleanup", "status", "success");
    }
}
