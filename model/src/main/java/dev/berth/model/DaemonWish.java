package dev.berth.model;

import java.util.List;
import java.util.Map;

/**
 * What the manifest says about the Docker daemon of a group, as it is written: placeholders stand
 * until {@link #settings}, since proxies and keys are among it.
 *
 * @param sources trees in which a property is looked for, the first that has it wins
 * @param place where the first of them stands
 */
public record DaemonWish(List<Map<String, Object>> sources, String place) {
    static final DaemonWish NONE = new DaemonWish(List.of(), "");

    /** With the values of variables; what is wrong with those is found here. */
    DaemonSettings settings(Interpolation variables, Findings findings) {
        List<Section> resolved =
                sources.stream()
                        .map(tree -> variables.resolve(tree, place, findings))
                        .map(tree -> new Spot(tree, place, Mark.NONE, findings).section())
                        .toList();
        return new DaemonReader(resolved).read();
    }
}
