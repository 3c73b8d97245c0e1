@NullMarked
package dev.berth.acceptance.proof;

import org.jspecify.annotations.NullMarked;
