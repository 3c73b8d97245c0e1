/**
 * What a backup is: the frames it consists of, how they are compressed and sealed, and the places
 * it is kept in. Knows nothing of deployments: heads are trees, data are tar archives.
 */
@NullMarked
package dev.berth.backup;

import org.jspecify.annotations.NullMarked;
