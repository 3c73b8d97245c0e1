package dev.berth.agent;

import dev.berth.wire.AgentSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A CA and leaves made by openssl, as a director's are made by other tools. */
final class TestCertificates {
    private final Path folder;

    TestCertificates(Path folder) {
        this.folder = folder;
        openssl(
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=test CA",
                "-keyout",
                "ca.key",
                "-out",
                "ca.pem");
    }

    /** Makes {@code name.pem} and {@code name.key} (PKCS#8). */
    void leaf(String name, String commonName, String subjectAlternativeName) throws IOException {
        openssl(
                "req",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-subj",
                "/O=Cloud Foundry/CN=" + commonName,
                "-keyout",
                name + ".key",
                "-out",
                name + ".csr");
        Files.writeString(
                folder.resolve(name + ".ext"),
                subjectAlternativeName.isEmpty()
                        ? "basicConstraints=CA:false\n"
                        : "subjectAltName=" + subjectAlternativeName + "\n");
        openssl(
                "x509",
                "-req",
                "-in",
                name + ".csr",
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-days",
                "2",
                "-extfile",
                name + ".ext",
                "-out",
                name + ".pem");
    }

    AgentSettings.Certificate credentials(String name) throws IOException {
        return new AgentSettings.Certificate(
                text("ca.pem"), text(name + ".pem"), text(name + ".key"));
    }

    String text(String file) throws IOException {
        return Files.readString(folder.resolve(file));
    }

    Path path(String file) {
        return folder.resolve(file);
    }

    void openssl(String... arguments) {
        var command = new java.util.ArrayList<>(List.of("openssl"));
        command.addAll(List.of(arguments));
        try {
            Process process =
                    new ProcessBuilder(command)
                            .directory(folder.toFile())
                            .redirectErrorStream(true)
                            .start();
            String words =
                    new String(
                            process.getInputStream().readAllBytes(),
                            java.nio.charset.StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(words);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
