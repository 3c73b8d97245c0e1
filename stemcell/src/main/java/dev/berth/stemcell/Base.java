package dev.berth.stemcell;

import dev.berth.model.Problem;
import dev.berth.model.ProblemException;
import java.util.List;

/** Where the Debian root comes from. */
sealed interface Base {
    /** A fresh root from Debian's archive. */
    record Debootstrap() implements Base {
        @Override
        public String toString() {
            return "debootstrap";
        }
    }

    /** The file system of a container image, given its packages with apt; needs an engine. */
    record Image(String reference) implements Base {
        @Override
        public String toString() {
            return "image:" + reference;
        }
    }

    static Base parse(String text) {
        if (text.equals("debootstrap")) {
            return new Debootstrap();
        }
        if (text.startsWith("image:") && text.length() > "image:".length()) {
            return new Image(text.substring("image:".length()));
        }
        throw new ProblemException(
                List.of(
                        Problem.at(
                                "--base",
                                "'" + text + "' is no base",
                                "say debootstrap or image:REFERENCE")));
    }
}
