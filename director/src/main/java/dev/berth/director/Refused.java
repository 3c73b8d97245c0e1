package dev.berth.director;

import dev.berth.bus.Refusal;
import dev.berth.model.AgentId;
import dev.berth.model.InstanceId;
import dev.berth.store.Rows;
import java.util.List;
import java.util.Optional;

/** Whether an agent is silent because of a certificate: by the addresses of its instance. */
final class Refused {
    private Refused() {}

    static Optional<Refusal> agent(Hands hands, AgentId agent) {
        return hands.store().read(s -> s.vm(agent)).flatMap(vm -> instance(hands, vm.instance()));
    }

    static Optional<Refusal> instance(Hands hands, InstanceId instance) {
        List<String> addresses =
                hands.store().read(s -> s.ips(instance)).stream().map(Rows.Ip::address).toList();
        return addresses.isEmpty() ? Optional.empty() : hands.door().refusal(addresses);
    }
}
