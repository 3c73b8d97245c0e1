package dev.berth.cpi.docker;

import dev.berth.cpi.CpiException;

/**
 * An IPv4 range.
 *
 * @param address of the network, as a number
 */
record Subnet(long address, int prefix) {
    static Subnet parse(String text) {
        String[] parts = text.strip().split("/", -1);
        try {
            int prefix = Integer.parseInt(parts[1]);
            if (parts.length == 2 && prefix >= 0 && prefix <= 32) {
                return of(address(parts[0]), prefix);
            }
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            // Told below.
        }
        throw wrong("'" + text + "' is not an IPv4 range such as 10.0.1.0/24");
    }

    static Subnet of(long address, int prefix) {
        return new Subnet(address & mask(prefix), prefix);
    }

    /** The range of an address with a mask such as 255.255.255.0. */
    static Subnet of(String address, String netmask) {
        long mask = address(netmask);
        int prefix = Long.bitCount(mask);
        if (mask != mask(prefix)) {
            throw wrong("'" + netmask + "' is not a netmask");
        }
        return of(address(address), prefix);
    }

    private static long mask(int prefix) {
        return prefix == 0 ? 0 : 0xffffffffL << (32 - prefix) & 0xffffffffL;
    }

    static long address(String text) {
        String[] parts = text.strip().split("\\.", -1);
        long address = 0;
        for (String part : parts) {
            if (parts.length != 4 || !part.matches("\\d{1,3}") || Integer.parseInt(part) > 255) {
                throw wrong("'" + text + "' is not an IPv4 address");
            }
            address = address << 8 | Integer.parseInt(part);
        }
        return address;
    }

    static String text(long address) {
        return (address >> 24 & 255)
                + "."
                + (address >> 16 & 255)
                + "."
                + (address >> 8 & 255)
                + "."
                + (address & 255);
    }

    boolean overlaps(Subnet other) {
        int common = Math.min(prefix, other.prefix);
        return (address & mask(common)) == (other.address & mask(common));
    }

    boolean contains(long candidate) {
        return (candidate & mask(prefix)) == address;
    }

    private static CpiException wrong(String what) {
        return new CpiException(CpiException.Type.CPI_ERROR, what);
    }

    @Override
    public String toString() {
        return text(address) + "/" + prefix;
    }
}
