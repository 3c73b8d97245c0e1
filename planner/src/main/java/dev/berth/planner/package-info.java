/**
 * Decides what a deploy, a repair or a delete has to do: desired × recorded × observed → {@link
 * dev.berth.planner.Plan}. Pure: touches nothing, takes time as a value, gives a reason with every
 * step.
 */
@NullMarked
package dev.berth.planner;

import org.jspecify.annotations.NullMarked;
