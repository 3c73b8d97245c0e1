package dev.berth.cli;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** An archive of an image, into the environment's registry. */
@Command(
        name = "upload-image",
        description =
                "Takes an archive of an image (docker save, or OCI) into the environment's registry.")
final class UploadImageCommand extends DirectorCommand {
    @Parameters(index = "0", paramLabel = "FILE", description = "The archive, gzipped or not.")
    Path file = Path.of("");

    @Option(
            names = "--name",
            paramLabel = "NAME:TAG",
            description = "Instead of the name that the archive tells.")
    @Nullable String name;

    @Override
    void run(Main main, Api api, Screen screen) {
        if (!Files.isRegularFile(file)) {
            throw new CliException("there is no file " + file);
        }
        String path = "/images?" + (name == null ? "" : "name=" + ChangeCommands.encoded(name));
        long task = Api.taskOf(api.postFile(path, "application/x-tar", file));
        new TaskFollower(api, screen)
                .resultOf(task)
                .lines()
                .filter(line -> !line.isBlank())
                .forEach(line ->
                        screen.line(
                                "manifests name it "
                                        + Fields.of(Json.parse(line), "image").string("image")));
    }
}
