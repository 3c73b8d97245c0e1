package dev.berth.model;

/**
 * A number of instances, absolute or as a percentage ({@code canaries}, {@code max_in_flight}).
 *
 * @param value at least 0
 */
public record Share(int value, boolean percent) {
    public Share {
        if (value < 0) {
            throw new IllegalArgumentException("a share cannot be negative: " + value);
        }
    }

    /** Reads {@code 3} or {@code 25%}; throws {@link IllegalArgumentException} on anything else. */
    public static Share parse(String text) {
        boolean percent = text.endsWith("%");
        String digits = percent ? text.substring(0, text.length() - 1) : text;
        if (!digits.matches("\\d{1,9}")) {
            throw new IllegalArgumentException("value should be integer or percent");
        }
        return new Share(Integer.parseInt(digits), percent);
    }

    /** How many of so many instances: percentages are rounded down, never more than all. */
    public int countOf(int size) {
        long count = percent ? (long) value * size / 100 : value;
        return (int) Math.min(count, size);
    }

    @Override
    public String toString() {
        return percent ? value + "%" : String.valueOf(value);
    }
}
