@NullMarked
package dev.berth.cpi;

import org.jspecify.annotations.NullMarked;
