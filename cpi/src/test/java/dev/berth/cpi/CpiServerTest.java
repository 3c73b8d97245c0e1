package dev.berth.cpi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Every request, however wrong, gets an answer of the contract's shape. */
class CpiServerTest {
    /** Says yes to all that answers yes or no, and fails loudly otherwise. */
    private static Cpi cpi() {
        return (Cpi)
                Proxy.newProxyInstance(
                        Cpi.class.getClassLoader(),
                        new Class<?>[] {Cpi.class},
                        (proxy, method, arguments) ->
                                switch (method.getName()) {
                                    case "info" -> new Cpi.Info(3, List.of("x"));
                                    case "hasVm",
                                            "growsAttachedDisks",
                                            "movesDisksBetweenAzs",
                                            "readdressesVms" ->
                                            true;
                                    case "deleteVm" ->
                                            throw new CpiException(
                                                    CpiException.Type.VM_NOT_FOUND, "no such VM");
                                    default -> throw new IllegalStateException("boom");
                                });
    }

    private static Fields ask(String request) throws IOException {
        var out = new ByteArrayOutputStream();
        new CpiServer(context -> cpi())
                .serve(new ByteArrayInputStream(request.getBytes(StandardCharsets.UTF_8)), out);
        Map<String, Object> answer = Json.object(out.toByteArray());
        assertThat(answer).containsKeys("result", "error", "log");
        return Fields.of(answer, "answer");
    }

    private static String request(String method, String arguments) {
        return "{\"method\":\""
                + method
                + "\",\"arguments\":"
                + arguments
                + ",\"context\":{},\"api_version\":2}";
    }

    private static void refused(String request, String type, String words) throws IOException {
        Fields answer = ask(request);
        assertThat(answer.object("error").string("type")).isEqualTo(type);
        assertThat(answer.object("error").string("message")).contains(words);
        assertThat(answer.object("error").tree()).containsKey("ok_to_retry");
        assertThat(answer.tree().get("result")).isNull();
    }

    @Test
    void infoNeedsNothingAndAnnouncesBerthsOwn() throws IOException {
        Fields info = ask("{\"method\":\"info\",\"arguments\":[]}").object("result");
        assertThat(info.integer("api_version")).isEqualTo(3);
        assertThat(info.strings("stemcell_formats")).containsExactly("x");
        assertThat(info.object("berth").flag("grows_attached_disks", false)).isTrue();
        assertThat(info.object("berth").flag("moves_disks_between_azs", false)).isTrue();
        assertThat(info.object("berth").flag("readdresses_vms", false)).isTrue();
    }

    @Test
    void aGoodRequestGetsItsResult() throws IOException {
        assertThat(ask(request("has_vm", "[\"vm-1\"]")).flag("result", false)).isTrue();
        assertThat(ask(request("ping", "[]")).string("result")).isEqualTo("pong");
    }

    @Test
    void unknownMethodsAreNotImplemented() throws IOException {
        refused(
                request("current_vm_id", "[]"),
                "Bosh::Clouds::NotImplemented",
                "Must call implemented method: current_vm_id");
        refused(request("update_disk", "[]"), "Bosh::Clouds::NotSupported", "update_disk");
    }

    @Test
    void wrongArgumentsAreNamed() throws IOException {
        String misuse = "Bosh::Clouds::CpiError";
        refused(request("has_vm", "[]"), misuse, "has_vm: takes 1 arguments, got 0");
        refused(
                request("has_vm", "[7]"),
                misuse,
                "argument 1 (vm_cid) should be a non-empty string, not Long");
        refused(request("create_disk", "[\"10\",{},null]"), misuse, "argument 1 (size)");
        refused(request("create_disk", "[-1,{},null]"), misuse, "argument 1 (size)");
        refused(request("create_disk", "[10,[],null]"), misuse, "argument 2 (cloud_properties)");
    }

    @Test
    void whatIsNotARequestIsRefusedInTheSameShape() throws IOException {
        String misuse = "Bosh::Clouds::CpiError";
        refused("", misuse, "malformed");
        refused("[1]", misuse, "malformed");
        refused("{}", misuse, "method");
        refused("{\"method\":\"has_vm\",\"arguments\":{}}", misuse, "arguments");
        refused("[".repeat(5000), misuse, "malformed");
    }

    @Test
    void typedErrorsKeepTheirTypeAndOthersAreTheCpis() throws IOException {
        refused(request("delete_vm", "[\"v\"]"), "Bosh::Clouds::VMNotFound", "no such VM");
        refused(request("reboot_vm", "[\"v\"]"), "Bosh::Clouds::CpiError", "boom");
    }

    @Test
    void aVersionThatIsNotSpokenIsRefused() throws IOException {
        refused(
                "{\"method\":\"has_vm\",\"arguments\":[\"v\"],\"context\":{},\"api_version\":4}",
                "Bosh::Clouds::NotImplemented",
                "only 2 to 3");
    }
}
