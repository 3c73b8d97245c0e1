package dev.berth.model;

import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.nodes.NodeId;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * What an unquoted scalar means: YAML 1.1 as Ruby reads manifests, but dates, base 60 numbers,
 * infinities and {@code 1e3} stay text, because in a manifest they are port pairs, versions and
 * commit ids.
 */
final class YamlScalars extends Resolver {
    private static final Pattern BOOLEAN =
            Pattern.compile("yes|no|true|false|on|off", Pattern.CASE_INSENSITIVE);
    private static final Pattern NOTHING = Pattern.compile("|~|null|Null|NULL");
    private static final Pattern INTEGER =
            Pattern.compile(
                    "[-+]?(0b[01][01_]*|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F][0-9a-fA-F_]*)");
    private static final Pattern DECIMAL =
            Pattern.compile("[-+]?([0-9][0-9_]*\\.[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?");

    /** What other readers may take for something else than text. */
    private static final Pattern AMBIGUOUS =
            Pattern.compile(
                    "[-+.0-9][-+.,:_0-9a-fA-FoxeETZ ]*|[yYnN]|[-+]?\\.(inf|nan)|<<|=",
                    Pattern.CASE_INSENSITIVE);

    /** Addresses and versions of three parts and more are text to everyone. */
    private static final Pattern DOTTED = Pattern.compile("[0-9]+(\\.[0-9]+){2,}(/[0-9]+)?");

    @Override
    protected void addImplicitResolvers() {
        // none of the stock ones: tagOf decides
    }

    @Override
    public Tag resolve(NodeId kind, @Nullable String value, boolean implicit) {
        return switch (kind) {
            case scalar -> implicit && value != null ? tagOf(value) : Tag.STR;
            case sequence -> Tag.SEQ;
            case mapping -> Tag.MAP;
            case anchor -> throw new IllegalStateException("an anchor has no tag");
        };
    }

    static Tag tagOf(String text) {
        if (text.length() > 40) {
            return Tag.STR; // also keeps the patterns off long text
        }
        if (NOTHING.matcher(text).matches()) {
            return Tag.NULL;
        }
        if (BOOLEAN.matcher(text).matches()) {
            return Tag.BOOL;
        }
        if (INTEGER.matcher(text).matches()) {
            return integer(text) == null ? Tag.STR : Tag.INT;
        }
        if (DECIMAL.matcher(text).matches()) {
            return Tag.FLOAT;
        }
        return text.equals("<<") ? Tag.MERGE : Tag.STR;
    }

    static boolean flag(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "yes", "true", "on" -> true;
            default -> false;
        };
    }

    /** Null when it is no integer of 64 bits. */
    static @Nullable Long integer(String text) {
        String digits = text.replace("_", "");
        String sign = digits.startsWith("-") ? "-" : "";
        digits = digits.startsWith("-") || digits.startsWith("+") ? digits.substring(1) : digits;
        try {
            if (digits.startsWith("0b")) {
                return Long.valueOf(sign + digits.substring(2), 2);
            }
            if (digits.startsWith("0x")) {
                return Long.valueOf(sign + digits.substring(2), 16);
            }
            boolean octal = digits.length() > 1 && digits.startsWith("0");
            return Long.valueOf(sign + digits, octal ? 8 : 10);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /** Null when it is no number. */
    static @Nullable Double decimal(String text) {
        try {
            return Double.valueOf(text.replace("_", ""));
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /** Whether text must be quoted so that every reader takes it for text. */
    static boolean needsQuotes(String text) {
        return !tagOf(text).equals(Tag.STR)
                || text.length() <= 60
                        && AMBIGUOUS.matcher(text).matches()
                        && !DOTTED.matcher(text).matches();
    }
}
