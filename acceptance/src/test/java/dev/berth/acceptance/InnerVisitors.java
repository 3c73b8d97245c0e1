package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;

/**
 * Ask a web server in a container from within its VM, at the container's own address: past what the
 * daemon does for published ports.
 */
final class InnerVisitors implements AutoCloseable {
    private static final String VISIT =
            """
            rm -f /tmp/visits /tmp/visits.end
            while [ ! -e /tmp/visits.end ]; do
                (
                    exec 3<> /dev/tcp/%s/8080 &&
                        printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 &&
                        read -t 10 -r line <&3
                    case $line in *' 200 '*) echo served ;; *) echo "turned away: $line" ;; esac
                )
                sleep 0.05
            done > /tmp/visits 2>&1
            """;

    private final OneVm vm;

    InnerVisitors(TestEnvironment environment, OneVm vm, String container) {
        this.vm = vm;
        String address =
                vm.in(
                                "docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "
                                        + container)
                        .strip();
        environment.docker("exec", "-d", vm.vm(), "bash", "-c", VISIT.formatted(address)).ok();
        awaitServed();
    }

    private List<String> visits() {
        return vm.in("cat /tmp/visits").lines().toList();
    }

    private void awaitServed() {
        await().atMost(TestEnvironment.SOON)
                .ignoreExceptions()
                .until(() -> visits().contains("served"));
    }

    /** Nobody was turned away since the first came. */
    void assertServedThroughout() {
        long before = visits().size();
        await().atMost(TestEnvironment.SOON).until(() -> visits().size() > before + 1);
        assertThat(visits()).containsOnly("served");
    }

    @Override
    public void close() {
        vm.in("touch /tmp/visits.end");
    }
}
