package dev.berth.bus;

import java.time.Instant;

/**
 * An agent tried to connect and was not let in because of its certificate, or because it did not
 * accept the bus's: it lives.
 *
 * @param reason for an operator
 * @param at when it was noticed
 */
public record Refusal(String reason, Instant at) {}
