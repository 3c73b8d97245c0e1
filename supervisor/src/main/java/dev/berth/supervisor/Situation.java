package dev.berth.supervisor;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Everything a decision rests on.
 *
 * @param wish null while none is known: then nothing is touched
 * @param memos what is remembered, by container name
 * @param observed all containers that carry our labels
 * @param busy steps under way, by container name; nothing is concluded about a busy container
 * @param busyImages images being pulled or built
 * @param images images known to be here
 * @param daemonUp when false, everything stays as it is
 */
record Situation(
        @Nullable Wish wish,
        Map<String, Memo> memos,
        List<Observed> observed,
        Map<String, Step> busy,
        Set<String> busyImages,
        Set<String> images,
        DiskStates disks,
        boolean daemonUp,
        Instant now) {}
