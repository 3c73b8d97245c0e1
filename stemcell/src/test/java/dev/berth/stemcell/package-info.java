@NullMarked
package dev.berth.stemcell;

import org.jspecify.annotations.NullMarked;
