@NullMarked
package dev.berth.acceptance;

import org.jspecify.annotations.NullMarked;
