package dev.berth.store;

import dev.berth.model.AgentId;
import dev.berth.model.DiskCid;
import dev.berth.model.InstanceId;
import dev.berth.model.IntentId;
import dev.berth.model.Json;
import dev.berth.model.SnapshotCid;
import dev.berth.model.StemcellCid;
import dev.berth.model.VmCid;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jdbi.v3.core.statement.StatementContext;
import org.jspecify.annotations.Nullable;

/** Rows from result sets, and the text forms in which trees, lists and times are kept. */
final class Mapping {
    private Mapping() {}

    static Rows.Config config(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Config(
                rs.getLong("id"),
                rs.getString("type"),
                rs.getString("name"),
                rs.getString("content"),
                time(rs, "created_at"),
                rs.getBoolean("deleted"));
    }

    static Rows.Stemcell stemcell(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Stemcell(
                rs.getLong("id"),
                rs.getString("name"),
                rs.getString("operating_system"),
                rs.getString("version"),
                new StemcellCid(rs.getString("cid")),
                rs.getString("cpi"),
                rs.getInt("api_version"));
    }

    static Rows.Deployment deployment(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Deployment(
                rs.getString("name"),
                rs.getString("manifest"),
                list(rs, "cloud_config_ids").stream().map(Long.class::cast).toList(),
                list(rs, "stemcells").stream().map(String::valueOf).toList(),
                list(rs, "releases").stream().map(String::valueOf).toList(),
                tree(rs, "tags"),
                time(rs, "created_at"));
    }

    static Rows.Instance instance(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Instance(
                new InstanceId(rs.getString("id")),
                rs.getString("deployment"),
                rs.getString("group_name"),
                rs.getInt("group_index"),
                rs.getString("az"),
                rs.getString("state"),
                rs.getBoolean("bootstrap"),
                rs.getBoolean("ignored"),
                rs.getBoolean("update_completed"),
                tree(rs, "spec"),
                time(rs, "created_at"));
    }

    static Rows.Vm vm(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Vm(
                new AgentId(rs.getString("agent")),
                new VmCid(rs.getString("cid")),
                new InstanceId(rs.getString("instance")),
                rs.getString("cpi"),
                tree(rs, "shape"),
                rs.getBoolean("active"),
                rs.getBoolean("permanent_credentials"),
                time(rs, "created_at"));
    }

    static Rows.Spare spare(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Spare(
                new AgentId(rs.getString("agent")),
                optional(rs.getString("cid"), VmCid::new),
                rs.getString("pool"),
                rs.getString("state"),
                tree(rs, "shape"),
                rs.getString("images"),
                time(rs, "created_at"));
    }

    static Rows.Disk disk(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Disk(
                new DiskCid(rs.getString("cid")),
                optional(rs.getString("instance"), InstanceId::new),
                optional(rs.getString("attached_to"), VmCid::new),
                rs.getLong("size_mb"),
                tree(rs, "cloud_properties"),
                rs.getString("type"),
                rs.getBoolean("active"),
                optionalTime(rs, "orphaned_at"),
                rs.getString("deployment"),
                rs.getString("instance_name"),
                rs.getString("az"),
                rs.getString("cpi"),
                rs.getString("name"),
                tree(rs, "options"),
                optional(rs.getString("copy_of"), DiskCid::new));
    }

    static Rows.Snapshot snapshot(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Snapshot(
                new SnapshotCid(rs.getString("cid")),
                new DiskCid(rs.getString("disk")),
                rs.getString("instance_name"),
                rs.getInt("instance_index"),
                time(rs, "created_at"),
                rs.getBoolean("clean"),
                rs.getString("consistency"),
                rs.getString("origin"));
    }

    static Rows.Backup backup(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Backup(
                rs.getString("id"),
                rs.getString("deployment"),
                rs.getString("location"),
                time(rs, "created_at"),
                rs.getLong("bytes"),
                tree(rs, "content"),
                optionalTime(rs, "verified_at"),
                rs.getString("verify_error"));
    }

    static Rows.Alert alert(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Alert(
                rs.getLong("number"),
                rs.getString("state"),
                time(rs, "changed_at"),
                tree(rs, "content"));
    }

    static Rows.AgentCertificate agentCertificate(ResultSet rs, StatementContext context)
            throws SQLException {
        return new Rows.AgentCertificate(
                new AgentId(rs.getString("agent")),
                time(rs, "ends_at"),
                time(rs, "renew_at"),
                rs.getString("signer"),
                rs.getString("trust"),
                rs.getString("trouble"));
    }

    static Rows.Delivery delivery(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Delivery(
                rs.getLong("id"),
                rs.getString("sink"),
                rs.getString("notice"),
                rs.getLong("alert"),
                rs.getString("state"),
                time(rs, "created_at"),
                rs.getLong("attempts"),
                time(rs, "due_at"),
                optionalTime(rs, "ended_at"),
                rs.getString("said"),
                tree(rs, "content"));
    }

    static Rows.Ip ip(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Ip(
                rs.getString("address"),
                rs.getString("network"),
                new InstanceId(rs.getString("instance")),
                rs.getBoolean("is_static"));
    }

    static Rows.Variable variable(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Variable(
                rs.getLong("id"),
                rs.getString("name"),
                rs.getString("type"),
                rs.getString("sealed"),
                time(rs, "created_at"));
    }

    static Rows.Task task(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Task(
                rs.getLong("id"),
                rs.getString("type"),
                rs.getString("state"),
                rs.getString("description"),
                rs.getString("user_name"),
                rs.getString("deployment"),
                rs.getString("context_id"),
                tree(rs, "payload"),
                time(rs, "queued_at"),
                optionalTime(rs, "started_at"),
                optionalTime(rs, "finished_at"),
                rs.getString("result"));
    }

    static Rows.Intent intent(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Intent(
                new IntentId(rs.getString("id")),
                rs.getLong("task"),
                optional(rs.getString("instance"), InstanceId::new),
                rs.getString("kind"),
                tree(rs, "payload"),
                time(rs, "begun_at"),
                optionalTime(rs, "ended_at"),
                rs.getString("outcome"));
    }

    static Rows.Event event(ResultSet rs, StatementContext context) throws SQLException {
        return new Rows.Event(
                rs.getLong("id"),
                optionalNumber(rs, "parent"),
                time(rs, "happened_at"),
                rs.getString("user_name"),
                rs.getString("action"),
                rs.getString("object_type"),
                rs.getString("object_name"),
                optionalNumber(rs, "task"),
                rs.getString("deployment"),
                rs.getString("instance"),
                rs.getString("error"),
                tree(rs, "context"));
    }

    static String text(Object tree) {
        return Json.write(tree);
    }

    static long millis(Instant time) {
        return time.toEpochMilli();
    }

    static @Nullable Long millisOrNull(@Nullable Instant time) {
        return time == null ? null : time.toEpochMilli();
    }

    static @Nullable String textOrNull(@Nullable Object id) {
        return id == null ? null : id.toString();
    }

    private static Map<String, Object> tree(ResultSet rs, String column) throws SQLException {
        return Json.object(rs.getString(column));
    }

    private static List<Object> list(ResultSet rs, String column) throws SQLException {
        return Json.asList(Json.parse(rs.getString(column)));
    }

    private static Instant time(ResultSet rs, String column) throws SQLException {
        return Instant.ofEpochMilli(rs.getLong(column));
    }

    private static @Nullable Instant optionalTime(ResultSet rs, String column) throws SQLException {
        Long millis = optionalNumber(rs, column);
        return millis == null ? null : Instant.ofEpochMilli(millis);
    }

    private static @Nullable Long optionalNumber(ResultSet rs, String column) throws SQLException {
        long value = rs.getLong(column);
        return rs.wasNull() ? null : value;
    }

    private static <T> @Nullable T optional(@Nullable String text, Function<String, T> make) {
        return text == null ? null : make.apply(text);
    }
}
