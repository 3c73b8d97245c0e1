@NullMarked
package dev.berth.backup;

import org.jspecify.annotations.NullMarked;
