package dev.berth.store;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.mapper.RowMapper;
import org.jspecify.annotations.Nullable;

/** Statements on one connection, with positional arguments. */
abstract class Sql {
    private final Handle handle;

    Sql(Handle handle) {
        this.handle = handle;
    }

    final void refuseIfAny(String what, String ofWhich, String countSql, String key) {
        long count = handle.select(countSql, key).map((rs, context) -> rs.getLong(1)).one();
        if (count > 0) {
            throw new IllegalStateException(what + " still has " + count + " " + ofWhich);
        }
    }

    final int run(String sql, @Nullable Object... arguments) {
        return handle.execute(sql, arguments);
    }

    final <T> T inserted(RowMapper<T> mapper, String sql, @Nullable Object... arguments) {
        return handle.select(sql, arguments).map(mapper).one();
    }

    final <T> Optional<T> one(RowMapper<T> mapper, String sql, @Nullable Object... arguments) {
        return handle.select(sql, arguments).map(mapper).findOne();
    }

    final <T> List<T> list(RowMapper<T> mapper, String sql, @Nullable Object... arguments) {
        return handle.select(sql, arguments).map(mapper).list();
    }

    /**
     * Conditions joined by AND, each given only when its value is: PostgreSQL cannot type the
     * parameter of {@code ? IS NULL}, and the planners of both do better without it.
     */
    static final class Where {
        private final List<String> conditions = new ArrayList<>();
        private final List<Object> arguments = new ArrayList<>();

        Where and(String condition) {
            conditions.add(condition);
            return this;
        }

        Where andIf(String condition, @Nullable Object argument) {
            if (argument != null) {
                conditions.add(condition);
                arguments.add(argument);
            }
            return this;
        }

        Where in(String column, @Nullable List<String> values) {
            if (values != null) {
                conditions.add(
                        values.isEmpty()
                                ? "FALSE"
                                : column + " IN (?" + ", ?".repeat(values.size() - 1) + ")");
                arguments.addAll(values);
            }
            return this;
        }

        String text() {
            return conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions);
        }

        Object[] with(Object... more) {
            var all = new ArrayList<>(arguments);
            all.addAll(List.of(more));
            return all.toArray();
        }
    }
}
