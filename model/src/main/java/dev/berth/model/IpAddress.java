package dev.berth.model;

import java.math.BigInteger;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/**
 * An IPv4 or IPv6 address as a number. Text is normalised: IPv6 compressed, lower case. Addresses
 * of the two families are never equal, and IPv4 sorts first.
 */
public record IpAddress(boolean v6, BigInteger number) implements Comparable<IpAddress> {
    public IpAddress {
        if (number.signum() < 0 || number.bitLength() > (v6 ? 128 : 32)) {
            throw new IllegalArgumentException("not an address: " + number);
        }
    }

    /** Throws {@link IllegalArgumentException} with BOSH's text; never asks a name server. */
    public static IpAddress parse(String text) {
        String plain = text.strip();
        try {
            InetAddress address =
                    plain.indexOf(':') >= 0
                            ? Inet6Address.ofLiteral(plain)
                            : Inet4Address.ofLiteral(plain);
            boolean strict = plain.indexOf(':') >= 0 || plain.matches("\\d+(\\.\\d+){3}");
            if (strict && plain.indexOf('%') < 0) {
                return new IpAddress(
                        address instanceof Inet6Address, new BigInteger(1, address.getAddress()));
            }
        } catch (IllegalArgumentException e) {
            // said below, in the words operators know
        }
        throw new IllegalArgumentException("Invalid IP or CIDR format: " + text);
    }

    public int bits() {
        return v6 ? 128 : 32;
    }

    public IpAddress plus(long offset) {
        return new IpAddress(v6, number.add(BigInteger.valueOf(offset)));
    }

    boolean isLast() {
        return number.bitCount() == bits();
    }

    @Override
    public int compareTo(IpAddress other) {
        return v6 == other.v6 ? number.compareTo(other.number) : Boolean.compare(v6, other.v6);
    }

    @Override
    public String toString() {
        byte[] bytes = new byte[bits() / 8];
        byte[] digits = number.toByteArray();
        int length = Math.min(digits.length, bytes.length);
        System.arraycopy(digits, digits.length - length, bytes, bytes.length - length, length);
        return v6 ? compressed(bytes) : dotted(bytes);
    }

    private static String dotted(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes).getHostAddress();
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 bytes are an address", e);
        }
    }

    /** RFC 5952: the longest run of two or more zero groups becomes {@code ::}. */
    private static String compressed(byte[] bytes) {
        int[] groups = new int[8];
        for (int i = 0; i < 8; i++) {
            groups[i] = (bytes[2 * i] & 0xff) << 8 | bytes[2 * i + 1] & 0xff;
        }
        int start = -1;
        int longest = 1;
        for (int i = 0; i < 8; i++) {
            int end = i;
            while (end < 8 && groups[end] == 0) {
                end++;
            }
            if (end - i > longest) {
                start = i;
                longest = end - i;
            }
        }
        if (start < 0) {
            return hex(groups);
        }
        return hex(Arrays.copyOfRange(groups, 0, start))
                + "::"
                + hex(Arrays.copyOfRange(groups, start + longest, 8));
    }

    private static String hex(int[] groups) {
        return String.join(":", Arrays.stream(groups).mapToObj(Integer::toHexString).toList());
    }
}
