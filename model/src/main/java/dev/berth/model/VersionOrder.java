package dev.berth.model;

import java.math.BigInteger;
import java.util.Comparator;

/**
 * The order of release and stemcell versions, {@code RELEASE[-PRE][+POST]}: numbers before words,
 * missing parts count as 0, a pre-release comes before its release, a post-release after it.
 */
public enum VersionOrder implements Comparator<String> {
    INSTANCE;

    @Override
    public int compare(String a, String b) {
        int order = segments(release(a), release(b));
        if (order != 0) {
            return order;
        }
        order = optional(pre(a), pre(b), 1);
        return order != 0 ? order : optional(post(a), post(b), -1);
    }

    /** {@code whenMissing}: how a version without the part compares to one with it. */
    private static int optional(String a, String b, int whenMissing) {
        if (a.isEmpty() || b.isEmpty()) {
            return a.isEmpty() == b.isEmpty() ? 0 : a.isEmpty() ? whenMissing : -whenMissing;
        }
        return segments(a, b);
    }

    private static int segments(String a, String b) {
        String[] left = a.split("\\.", -1);
        String[] right = b.split("\\.", -1);
        for (int i = 0; i < Math.max(left.length, right.length); i++) {
            int order = segment(i < left.length ? left[i] : "0", i < right.length ? right[i] : "0");
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }

    private static int segment(String a, String b) {
        boolean aNumber = isNumber(a);
        boolean bNumber = isNumber(b);
        if (aNumber && bNumber) {
            return new BigInteger(a).compareTo(new BigInteger(b));
        }
        return aNumber == bNumber ? a.compareTo(b) : aNumber ? -1 : 1;
    }

    private static boolean isNumber(String segment) {
        return !segment.isEmpty() && segment.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static String release(String version) {
        int end = version.length();
        for (char mark : new char[] {'-', '+'}) {
            int at = version.indexOf(mark);
            end = at >= 0 ? Math.min(end, at) : end;
        }
        return version.substring(0, end);
    }

    private static String post(String version) {
        int plus = version.indexOf('+');
        return plus < 0 ? "" : version.substring(plus + 1);
    }

    private static String pre(String version) {
        int plus = version.indexOf('+');
        String head = plus < 0 ? version : version.substring(0, plus);
        int dash = head.indexOf('-');
        return dash < 0 ? "" : head.substring(dash + 1);
    }
}
