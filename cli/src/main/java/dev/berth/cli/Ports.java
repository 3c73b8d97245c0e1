package dev.berth.cli;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Finds what is free on this machine, so that environments run side by side. */
final class Ports {
    private static final String OCTET = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
    private static final Pattern CIDR =
            Pattern.compile("(" + OCTET + "\\.){3}" + OCTET + "/\\d{1,2}");

    private static final Duration ANSWER = Duration.ofSeconds(2);

    private Ports() {}

    /**
     * The wished port if it is free, else the next free one; a port asked for by name must be free.
     */
    static int free(int wished, boolean exactly, String purpose, List<Integer> taken) {
        for (int port = wished; port < wished + 200; port++) {
            if (!taken.contains(port) && isFree(port)) {
                taken.add(port);
                return port;
            }
            if (exactly) {
                throw new CliException(
                        "port "
                                + port
                                + " for the "
                                + purpose
                                + " is in use; choose another or free it (ss -ltnp 'sport = :"
                                + port
                                + "')");
            }
        }
        throw new CliException(
                "no free port for the "
                        + purpose
                        + " between "
                        + wished
                        + " and "
                        + (wished + 200));
    }

    /**
     * Nobody holds it. To find out, the port is held for a moment, which whoever wants it at that
     * moment finds in use: never ask while a process that is to listen there is starting.
     */
    static boolean isFree(int port) {
        try (var socket = new ServerSocket(port)) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }

    /** Somebody accepts connections there; asking takes the place from nobody. */
    static boolean isListenedOn(String host, int port) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), (int) ANSWER.toMillis());
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** A /24 that no interface of this machine overlaps. */
    static String freeNetwork() {
        List<long[]> used = usedRanges();
        for (int n = 0; n < 256; n++) {
            long first = (10L << 24) | (244L << 16) | ((long) n << 8);
            if (used.stream().noneMatch(r -> first <= r[1] && first + 255 >= r[0])) {
                return "10.244." + n + ".0/24";
            }
        }
        throw new CliException(
                "no free /24 below 10.244.0.0/16; choose a network with --network CIDR");
    }

    static void checkFree(String cidr) {
        long[] wished = range(cidr);
        for (long[] used : usedRanges()) {
            if (wished[0] <= used[1] && wished[1] >= used[0]) {
                throw new CliException(
                        "network "
                                + cidr
                                + " overlaps one of this machine (see: ip addr); choose another with --network CIDR");
            }
        }
    }

    static String gateway(String cidr) {
        long first = range(cidr)[0] + 1;
        return (first >> 24)
                + "."
                + (first >> 16 & 255)
                + "."
                + (first >> 8 & 255)
                + "."
                + (first & 255);
    }

    private static long[] range(String cidr) {
        if (!CIDR.matcher(cidr).matches()) {
            throw new CliException("'" + cidr + "' is not an IPv4 network like 10.244.7.0/24");
        }
        String[] parts = cidr.split("/");
        long address = 0;
        for (String part : parts[0].split("\\.")) {
            address = address << 8 | Long.parseLong(part);
        }
        int bits = Integer.parseInt(parts[1]);
        if (bits < 16 || bits > 28) {
            throw new CliException(
                    "a network of /" + bits + " does not fit; choose between /16 and /28");
        }
        long mask = -1L << (32 - bits) & 0xffffffffL;
        return new long[] {address & mask, (address & mask) | (~mask & 0xffffffffL)};
    }

    private static List<long[]> usedRanges() {
        var ranges = new ArrayList<long[]>();
        try {
            for (NetworkInterface face :
                    java.util.Collections.list(NetworkInterface.getNetworkInterfaces())) {
                for (InterfaceAddress address : face.getInterfaceAddresses()) {
                    InetAddress ip = address.getAddress();
                    if (ip instanceof Inet4Address && address.getNetworkPrefixLength() >= 8) {
                        ranges.add(span(ip.getAddress(), address.getNetworkPrefixLength()));
                    }
                }
            }
        } catch (IOException e) {
            throw new CliException("cannot list this machine's networks: " + e.getMessage(), e);
        }
        return ranges;
    }

    private static long[] span(byte[] ip, int bits) {
        long address = 0;
        for (byte part : ip) {
            address = address << 8 | (part & 255);
        }
        long mask = bits == 0 ? 0 : -1L << (32 - bits) & 0xffffffffL;
        return new long[] {address & mask, (address & mask) | (~mask & 0xffffffffL)};
    }
}
