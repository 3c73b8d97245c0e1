package dev.berth.supervisor;

import dev.berth.model.ContainerSpec;
import dev.berth.model.Fields;
import dev.berth.model.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The texts in which wish and counters are remembered. */
final class MemoryText {
    static final String WISH = "wish";

    /** The wish that ran well last. */
    static final String GOOD = "good";

    static final String COUNTERS = "counters";

    private MemoryText() {}

    static String ofWish(Wish wish) {
        return Json.write(
                Json.of(
                        "running",
                        wish.running(),
                        "mark",
                        wish.mark(),
                        "containers",
                        wish.specs().stream().map(ContainerSpec::toTree).toList()));
    }

    static Wish wish(String text) {
        Fields f = Fields.of(Json.parse(text), "remembered wish");
        return Wish.of(
                f.list("containers").stream().map(ContainerSpec::fromTree).toList(),
                f.string("mark", ""),
                f.flag("running", false));
    }

    static String ofMemos(String bootId, Map<String, Memo> memos) {
        var trees = new LinkedHashMap<String, Object>();
        memos.forEach((name, memo) -> trees.put(name, memo.toTree()));
        return Json.write(Json.of("boot_id", bootId, "containers", trees));
    }

    /** What was remembered in the boot with this id; of an earlier boot only what outlives it. */
    static Map<String, Memo> memos(String text, @Nullable String bootId) {
        Fields f = Fields.of(Json.parse(text), "remembered counters");
        boolean sameBoot = f.string("boot_id", "").equals(bootId);
        var memos = new TreeMap<String, Memo>();
        f.object("containers")
                .tree()
                .forEach((name, tree) -> {
                    Memo memo = Memo.fromTree(tree);
                    if (!sameBoot) {
                        memo.reboot();
                    }
                    memos.put(name, memo);
                });
        return memos;
    }
}
