package dev.berth.model;

import java.math.BigInteger;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A subnet of a manual network, and who may have which of its addresses.
 *
 * @param range the whole block
 * @param prefix length of the block's prefix
 * @param gateway null: none
 * @param reserved never given out
 * @param statics given out only on request
 * @param azs zones it serves; empty: all
 */
public record Subnet(
        IpRange range,
        int prefix,
        @Nullable IpAddress gateway,
        List<String> dns,
        List<IpRange> reserved,
        List<IpRange> statics,
        List<String> azs,
        Map<String, Object> cloudProperties) {

    /** Whether instances of a zone may live here; null: of no zone. */
    public boolean serves(@Nullable String az) {
        return az == null ? azs.isEmpty() : azs.isEmpty() || azs.contains(az);
    }

    /** Whether an address of the range is never given out: the ends, the gateway, reserved ones. */
    public boolean isRestricted(IpAddress address) {
        return restricted().anyMatch(r -> r.contains(address));
    }

    public boolean isStatic(IpAddress address) {
        return statics.stream().anyMatch(s -> s.contains(address));
    }

    /** Whether the address may be given out without being asked for by name. */
    public boolean isDynamic(IpAddress address) {
        return range.contains(address) && !isRestricted(address) && !isStatic(address);
    }

    private Stream<IpRange> restricted() {
        Stream<IpRange> fixed = Stream.of(IpRange.of(range.first()), IpRange.of(range.last()));
        Stream<IpRange> gateways = Optional.ofNullable(gateway).map(IpRange::of).stream();
        return Stream.of(fixed, gateways, reserved.stream()).flatMap(s -> s);
    }

    /** The lowest address for an instance that asks for none, unless {@code taken} says no. */
    public Optional<IpAddress> firstFree(Predicate<IpAddress> taken) {
        for (IpAddress candidate : candidates()) {
            if (!taken.test(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    /** Every address that may be given out unasked, lowest first; steps over blocked ranges. */
    public Iterable<IpAddress> candidates() {
        List<IpRange> blocked =
                Stream.concat(restricted(), statics.stream())
                        .filter(r -> !r.isEmpty())
                        .sorted(Comparator.comparing(IpRange::first))
                        .toList();
        return () -> new Candidates(blocked);
    }

    /** Netmask in the notation of the address family. */
    public String netmask() {
        int bits = range.first().bits();
        BigInteger all = BigInteger.ONE.shiftLeft(bits).subtract(BigInteger.ONE);
        BigInteger mask = all.shiftRight(bits - prefix).shiftLeft(bits - prefix);
        return new IpAddress(range.first().v6(), mask).toString();
    }

    private final class Candidates implements Iterator<IpAddress> {
        private final List<IpRange> blocked;
        private int nextBlock;
        private @Nullable IpAddress next;

        Candidates(List<IpRange> blocked) {
            this.blocked = blocked;
            next = skipBlocked(range.first());
        }

        @Override
        public boolean hasNext() {
            return next != null;
        }

        @Override
        public IpAddress next() {
            IpAddress current = next;
            if (current == null) {
                throw new NoSuchElementException("no further address in " + range);
            }
            next = current.equals(range.last()) ? null : skipBlocked(current.plus(1));
            return current;
        }

        private @Nullable IpAddress skipBlocked(IpAddress from) {
            IpAddress at = from;
            while (nextBlock < blocked.size()
                    && blocked.get(nextBlock).first().compareTo(at) <= 0) {
                IpAddress end = blocked.get(nextBlock++).last();
                if (end.compareTo(at) >= 0) {
                    if (end.compareTo(range.last()) >= 0) {
                        return null;
                    }
                    at = end.plus(1);
                }
            }
            return at.compareTo(range.last()) > 0 ? null : at;
        }
    }
}
