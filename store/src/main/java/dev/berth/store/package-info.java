/**
 * What the director remembers: plain rows behind {@link dev.berth.store.Store}, kept in SQLite or
 * PostgreSQL. Nothing here decides; no secret is stored in clear (variables arrive sealed).
 */
@NullMarked
package dev.berth.store;

import org.jspecify.annotations.NullMarked;
