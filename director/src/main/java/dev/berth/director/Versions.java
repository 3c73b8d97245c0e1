package dev.berth.director;

import dev.berth.store.Rows;
import java.util.Comparator;

/** The order of versions: part by part, numbers as numbers. */
final class Versions {
    static final Comparator<Rows.Stemcell> ORDER =
            Comparator.comparing(Rows.Stemcell::version, Versions::compare);

    private Versions() {}

    static int compare(String a, String b) {
        String[] left = a.split("[.\\-+]");
        String[] right = b.split("[.\\-+]");
        for (int i = 0; i < Math.max(left.length, right.length); i++) {
            String x = i < left.length ? left[i] : "0";
            String y = i < right.length ? right[i] : "0";
            boolean numbers = x.matches("\\d{1,18}") && y.matches("\\d{1,18}");
            int order =
                    numbers ? Long.compare(Long.parseLong(x), Long.parseLong(y)) : x.compareTo(y);
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }
}
