@org.jspecify.annotations.NullMarked
package dev.berth.alerts;
