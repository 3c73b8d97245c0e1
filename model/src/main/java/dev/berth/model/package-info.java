/**
 * What operators write and what Berth talks about: ids, manifests, cloud configs, container specs,
 * as plain data. Nothing here knows HTTP, SQL, NATS or Docker, and nothing here acts.
 */
@NullMarked
package dev.berth.model;

import org.jspecify.annotations.NullMarked;
