package dev.berth.planner;

import dev.berth.model.ProblemException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** IPv4 addresses as numbers. */
final class Ipv4 {
    private Ipv4() {}

    /** Both ends belong to it. */
    record Range(long first, long last) {
        boolean contains(long address) {
            return first <= address && address <= last;
        }
    }

    /** Addresses that do not belong to the pool, as disjoint ranges: one look-up a question. */
    static final class Ranges {
        private final TreeMap<Long, Long> ends = new TreeMap<>();

        Ranges(List<Range> ranges) {
            ranges.forEach(this::add);
        }

        private void add(Range range) {
            if (range.last < range.first) {
                return; // reversed: empty, as in BOSH
            }
            long first = range.first;
            long last = range.last;
            Map.Entry<Long, Long> below = ends.floorEntry(last);
            while (below != null && below.getValue() >= first) {
                first = Math.min(first, below.getKey());
                last = Math.max(last, below.getValue());
                ends.remove(below.getKey());
                below = ends.floorEntry(last);
            }
            ends.put(first, last);
        }

        boolean contains(long address) {
            return endOf(address) >= 0;
        }

        /** The end of the range that holds it; -1: none does. */
        long endOf(long address) {
            Map.Entry<Long, Long> entry = ends.floorEntry(address);
            return entry != null && entry.getValue() >= address ? entry.getValue() : -1;
        }
    }

    static long parse(String text) {
        String[] parts = text.strip().split("\\.", -1);
        long address = 0;
        for (String part : parts) {
            if (parts.length != 4 || !part.matches("\\d{1,3}") || Integer.parseInt(part) > 255) {
                throw new ProblemException(160010, "Invalid IP or CIDR format: " + text);
            }
            address = address * 256 + Integer.parseInt(part);
        }
        return address;
    }

    static String text(long address) {
        return (address >> 24)
                + "."
                + (address >> 16 & 255)
                + "."
                + (address >> 8 & 255)
                + "."
                + (address & 255);
    }

    /** An address, a CIDR block, or {@code A - B}. */
    static Range range(String text) {
        String[] ends = text.split("-", -1);
        if (ends.length == 2) {
            return new Range(parse(ends[0]), parse(ends[1]));
        }
        String[] block = text.strip().split("/", -1);
        if (ends.length > 2 || block.length > 2) {
            throw new ProblemException(160010, "Invalid IP range format: " + text);
        }
        int bits = block.length == 1 ? 32 : bits(text, block[1]);
        long size = 1L << (32 - bits);
        long first = parse(block[0]) / size * size;
        return new Range(first, first + size - 1);
    }

    static List<Range> ranges(List<String> texts) {
        var ranges = new ArrayList<Range>();
        texts.forEach(text -> ranges.add(range(text)));
        return ranges;
    }

    static String netmask(Range range) {
        return text(0xFFFF_FFFFL & ~(range.last - range.first));
    }

    private static int bits(String text, String bits) {
        if (!bits.matches("\\d{1,2}") || Integer.parseInt(bits) > 32) {
            throw new ProblemException(160010, "Invalid IP or CIDR format: " + text);
        }
        return Integer.parseInt(bits);
    }
}
