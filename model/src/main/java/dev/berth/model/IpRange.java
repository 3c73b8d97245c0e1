package dev.berth.model;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Addresses from {@code first} to {@code last}, both included; empty when reversed. */
public record IpRange(IpAddress first, IpAddress last) {
    public IpRange {
        if (first.v6() != last.v6()) {
            throw new IllegalArgumentException("Invalid IP range format: " + first + " - " + last);
        }
    }

    /**
     * Reads an address, a CIDR block or {@code A - B}; throws {@link IllegalArgumentException} with
     * BOSH's text.
     */
    public static IpRange parse(String text) {
        int dash = text.indexOf('-');
        if (dash < 0) {
            return text.indexOf('/') < 0 ? of(IpAddress.parse(text)) : cidr(text);
        }
        if (text.indexOf('-', dash + 1) >= 0 || text.indexOf('/') >= 0) {
            throw new IllegalArgumentException("Invalid IP range format: " + text);
        }
        return new IpRange(
                IpAddress.parse(text.substring(0, dash)),
                IpAddress.parse(text.substring(dash + 1)));
    }

    static IpRange of(IpAddress one) {
        return new IpRange(one, one);
    }

    /** The whole block around an address: {@code 10.0.0.5/24} is 10.0.0.0 to 10.0.0.255. */
    static IpRange cidr(String text) {
        int slash = text.indexOf('/');
        String bits = text.substring(slash + 1).strip();
        IpAddress address = IpAddress.parse(text.substring(0, slash));
        if (!bits.matches("\\d{1,3}") || Integer.parseInt(bits) > address.bits()) {
            throw new IllegalArgumentException("Invalid IP or CIDR format: " + text);
        }
        int free = address.bits() - Integer.parseInt(bits);
        BigInteger low = address.number().shiftRight(free).shiftLeft(free);
        BigInteger high = low.add(BigInteger.ONE.shiftLeft(free)).subtract(BigInteger.ONE);
        return new IpRange(new IpAddress(address.v6(), low), new IpAddress(address.v6(), high));
    }

    public boolean contains(IpAddress address) {
        return address.v6() == first.v6()
                && first.compareTo(address) <= 0
                && address.compareTo(last) <= 0;
    }

    public boolean contains(IpRange other) {
        return other.isEmpty() || contains(other.first) && contains(other.last);
    }

    public boolean overlaps(IpRange other) {
        return first.v6() == other.first.v6()
                && !isEmpty()
                && !other.isEmpty()
                && first.compareTo(other.last) <= 0
                && other.first.compareTo(last) <= 0;
    }

    public boolean isEmpty() {
        return first.compareTo(last) > 0;
    }

    /** How many addresses; at most {@link Long#MAX_VALUE}. */
    public long size() {
        BigInteger size = last.number().subtract(first.number()).add(BigInteger.ONE);
        return size.signum() < 0
                ? 0
                : size.min(BigInteger.valueOf(Long.MAX_VALUE)).longValueExact();
    }

    /** The addresses in order, at most so many. */
    public List<IpAddress> addresses(int limit) {
        var addresses = new ArrayList<IpAddress>();
        long count = Math.min(size(), limit);
        for (long i = 0; i < count; i++) {
            addresses.add(first.plus(i));
        }
        return addresses;
    }

    @Override
    public String toString() {
        return first.equals(last) ? first.toString() : first + " - " + last;
    }
}
