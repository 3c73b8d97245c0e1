package dev.berth.cpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.cpi.CpiException.Type;
import dev.berth.model.AgentId;
import dev.berth.model.Clock;
import dev.berth.model.DiskCid;
import dev.berth.model.Json;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How an executable is run, and what is made of whatever it prints. */
class ExternalCpiTest {
    private static final String INFO =
            "{\"result\":{\"api_version\":%s,\"stemcell_formats\":[\"x\"]},\"error\":null,\"log\":\"\"}";

    @TempDir Path folder;
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final CpiContext context =
            new CpiContext("d", "cpi-1", 3, Map.of("password", "hunter2"));
    private final VmCid vm = new VmCid("vm-1");
    private final DiskCid disk = new DiskCid("disk-1");

    private final CpiLog log =
            new CpiLog() {
                @Override
                public void line(CpiContext context, String line) {
                    heard.add(line);
                }

                @Override
                public void request(CpiContext context, String redactedJson) {
                    requests.add(redactedJson);
                }
            };

    /** A CPI that answers info with a version, and anything else with the given shell. */
    private ExternalCpi cpi(String version, String script) {
        return cpi(version, script, Duration.ofSeconds(20));
    }

    private ExternalCpi cpi(String version, String script, Duration limit) {
        Path file = folder.resolve("cpi");
        String text =
                "#!/bin/sh\nread -r request\necho \"$request\" >> "
                        + folder
                        + "/asked\ncase \"$request\" in *'\"method\":\"info\"'*) echo '"
                        + INFO.formatted(version)
                        + "'; exit 0;; esac\n"
                        + script
                        + "\n";
        try {
            Files.writeString(file, text);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return new ExternalCpi(file, limit, log, Clock.SYSTEM);
    }

    private List<Map<String, Object>> asked() throws IOException {
        return Files.readAllLines(folder.resolve("asked")).stream().map(Json::object).toList();
    }

    private static String answer(String result) {
        return "echo '{\"result\":" + result + ",\"error\":null,\"log\":\"\"}'";
    }

    private static String error(String type, String message, boolean okToRetry) {
        return "echo '{\"result\":null,\"error\":{\"type\":\""
                + type
                + "\",\"message\":\""
                + message
                + "\",\"ok_to_retry\":"
                + okToRetry
                + "},\"log\":\"\"}'";
    }

    private static void fails(Type type, ThrowingCallable call, String... words) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        CpiException.class,
                        e -> assertThat(e.type()).as(e.getMessage()).isEqualTo(type))
                .satisfies(e ->
                        assertThat(List.of(words))
                                .allMatch(String.valueOf(e.getMessage())::contains));
    }

    @Test
    void theRequestHasTheShapeOfTheContractAndInfoIsAskedOnce() throws IOException {
        ExternalCpi cpi = cpi("2", answer("\"disk-9\""));
        cpi.createDisk(context, 10, Map.of(), null);
        assertThat(cpi.createDisk(context, 10, Map.of("type", "ssd"), vm))
                .isEqualTo(new DiskCid("disk-9"));
        assertThat(asked()).hasSize(3);
        assertThat(asked().getFirst())
                .containsEntry("method", "info")
                .doesNotContainKey("api_version");
        assertThat(Json.write(asked().getLast()))
                .isEqualTo(
                        "{\"method\":\"create_disk\",\"arguments\":[10,{\"type\":\"ssd\"},\"vm-1\"],"
                                + "\"context\":{\"director_uuid\":\"d\",\"request_id\":\"cpi-1\","
                                + "\"vm\":{\"stemcell\":{\"api_version\":3}},\"password\":\"hunter2\"},"
                                + "\"api_version\":2}");
    }

    @Test
    void aChangedExecutableIsAskedForItsVersionAgain() throws IOException {
        ExternalCpi cpi = cpi("2", answer("true"));
        cpi.hasVm(context, vm);
        Files.setLastModifiedTime(
                folder.resolve("cpi"), java.nio.file.attribute.FileTime.fromMillis(1));
        cpi.hasVm(context, vm);
        assertThat(asked()).hasSize(4);
    }

    @Test
    void belowVersionThreeTagsOfAStemcellAreLeftOut() throws IOException {
        Path image = folder.resolve("image");
        cpi("2", answer("\"sc\"")).createStemcell(context, image, Map.of(), Map.of("a", "b"));
        assertThat(Json.asList(asked().getLast().get("arguments"))).hasSize(2);
        cpi("7", answer("\"sc\"")).createStemcell(context, image, Map.of(), Map.of("a", "b"));
        assertThat(Json.asList(asked().getLast().get("arguments"))).hasSize(3);
        assertThat(asked().getLast()).containsEntry("api_version", 3L);
    }

    @Test
    void anOldCpiIsRefused() {
        fails(Type.NOT_SUPPORTED, () -> cpi("1", "").hasVm(context, vm), "api_version via info");
        fails(Type.NOT_SUPPORTED, () -> cpi("null", "").hasVm(context, vm), "api_version via info");
    }

    @Test
    void theEnvironmentIsClearedButForTheContractsThree() {
        ExternalCpi cpi =
                cpi("2", "env | sed 's/=.*//' | sort | tr '\\n' ' ' >&2;" + answer("true"));
        cpi.hasVm(context, vm);
        assertThat(heard.getFirst().split(" "))
                .isSubsetOf("HOME", "PATH", "PWD", "SHLVL", "TMPDIR", "_", "OLDPWD")
                .contains("PATH");
        assertThat(ExternalCpi.environment(Map.of("HOME", "/h", "SECRET", "s")))
                .isEqualTo(Map.of("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "HOME", "/h"));
    }

    @Test
    void aFloodOnStderrDoesNotStopTheAnswer() {
        ExternalCpi cpi =
                cpi(
                        "2",
                        "i=0; while [ $i -lt 20000 ]; do echo 0123456789 >&2; i=$((i+1)); done;"
                                + answer("true"));
        assertThat(cpi.hasVm(context, vm)).isTrue();
        assertThat(heard).hasSize(20000);
    }

    @Test
    void aCpiThatDoesNotReadAndFailsByItsExitCodeIsJudgedByItsAnswerAlone() {
        ExternalCpi cpi = cpi("2", "exec 0<&-; " + answer("true") + "; exit 3");
        assertThat(cpi.hasVm(context, new VmCid("v".repeat(200_000)))).isTrue();
    }

    @Test
    void pastTheLimitTheCpiIsKilledAndTheOutcomeUnknown() {
        ExternalCpi cpi = cpi("2", "sleep 600", Duration.ofMillis(700));
        fails(Type.UNKNOWN, () -> cpi.deleteVm(context, vm), "did not finish", "may or may not");
    }

    @Test
    void answersThatBreakTheContractAreNamedAsSuch() {
        fails(
                Type.UNKNOWN,
                () -> cpi("2", "echo oops").hasVm(context, vm),
                "Invalid CPI response",
                "oops");
        fails(Type.UNKNOWN, () -> cpi("2", "echo '{\"result\":1}'").hasVm(context, vm), "'log'");
        fails(
                Type.UNKNOWN,
                () ->
                        cpi(
                                        "2",
                                        "echo '{\"result\":null,\"error\":{\"type\":\"a\",\"message\":\"b\"},\"log\":\"\"}'")
                                .hasVm(context, vm),
                "ok_to_retry");
        fails(Type.UNKNOWN, () -> cpi("2", answer("\"yes\"")).hasVm(context, vm), "not a boolean");
        fails(
                Type.UNKNOWN,
                () -> cpi("2", answer("{}")).attachDisk(context, vm, disk),
                "no disk hint");
        fails(
                Type.UNKNOWN,
                () -> cpi("2", answer("\"\"")).attachDisk(context, vm, disk),
                "no disk hint");
        fails(Type.UNKNOWN, () -> cpi("2", "true").hasVm(context, vm), "Invalid CPI response");
    }

    @Test
    void errorsKeepTheirTypeAndTheContractsSentence() {
        fails(
                Type.VM_NOT_FOUND,
                () ->
                        cpi("2", error("Bosh::Clouds::VMNotFound", "no vm", false))
                                .deleteVm(context, vm),
                "CPI error 'Bosh::Clouds::VMNotFound' with message 'no vm' in 'delete_vm' CPI method (CPI request ID: 'cpi-1')");
        fails(
                Type.UNKNOWN,
                () -> cpi("2", error("My::Own", "x", false)).deleteVm(context, vm),
                "Unknown CPI error 'My::Own'");
        fails(
                Type.NOT_IMPLEMENTED,
                () ->
                        cpi("2", error("InvalidCall", "Method is not known, got 'x'", false))
                                .rebootVm(context, vm));
        fails(
                Type.NOT_IMPLEMENTED,
                () ->
                        cpi("2", error("Bosh::Clouds::CloudError", "Invalid Method: x", false))
                                .rebootVm(context, vm));
        assertThatThrownBy(() ->
                        cpi("2", error("Bosh::Clouds::VMCreationFailed", "busy", true))
                                .createVm(
                                        context,
                                        new AgentId("a"),
                                        new StemcellCid("s"),
                                        Map.of(),
                                        Map.of(),
                                        List.of(),
                                        Map.of()))
                .isInstanceOfSatisfying(
                        CpiException.class, e -> assertThat(e.okToRetry()).isTrue());
    }

    @Test
    void aCpiWithoutBerthsMethodsIsAskedWhatTheContractHas() throws IOException {
        ExternalCpi cpi = cpi("2", answer("true"));
        assertThat(cpi.growsAttachedDisks()).isFalse();
        assertThat(cpi.vmEvidence(context, vm)).isEqualTo(Cpi.VmEvidence.PRESENT);
        fails(Type.NOT_IMPLEMENTED, () -> cpi.inventory(context), "cannot list");
        assertThat(asked())
                .extracting(request -> request.get("method"))
                .containsExactly("info", "has_vm");
    }

    @Test
    void aLoggedRequestShowsNoSecret() {
        ExternalCpi cpi = cpi("2", answer("[\"vm-2\",{}]"));
        cpi.createVm(
                context,
                new AgentId("a"),
                new StemcellCid("s"),
                Map.of("key", "hunter2"),
                Json.of("n", Json.of("ip", "10.0.0.1", "cloud_properties", Map.of("k", "hunter2"))),
                List.of(),
                Json.of("x", "hunter2", "bosh", Json.of("group", "g-1", "mbus", "hunter2")));
        cpi.createVm(
                context,
                new AgentId("a"),
                new StemcellCid("s"),
                Map.of(),
                Map.of(),
                List.of(),
                Map.of());
        assertThat(requests).hasSize(2).noneMatch(request -> request.contains("hunter2"));
        assertThat(requests.getFirst()).contains("10.0.0.1").contains("g-1");
    }

    @Test
    void aFileThatCannotBeRunIsSaidToBeSo() {
        var cpi = new ExternalCpi(folder.resolve("none"), Duration.ofSeconds(1), log, Clock.SYSTEM);
        fails(Type.CPI_ERROR, () -> cpi.hasVm(context, vm), "not executable");
    }
}
