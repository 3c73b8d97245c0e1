/** Tests of the director; those of the API speak HTTP as the stock CLI does. */
@NullMarked
package dev.berth.director;

import org.jspecify.annotations.NullMarked;
