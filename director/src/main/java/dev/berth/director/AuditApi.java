package dev.berth.director;

import dev.berth.model.Fields;
import dev.berth.model.Json;
import dev.berth.model.ProblemException;
import dev.berth.store.Rows;
import dev.berth.store.Store;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Who holds what and who did what: {@code /locks} and {@code /events}. */
final class AuditApi {
    private static final int MOST_EVENTS = 200;

    private final Store store;
    private final Locks locks;
    private final AuditTrail trail;

    AuditApi(Store store, Locks locks, AuditTrail trail) {
        this.store = store;
        this.locks = locks;
        this.trail = trail;
    }

    void addTo(Router router) {
        router.get("/locks", Access.READ, this::locks);
        router.get("/events", Access.READ, this::events);
        router.get("/events/{id}", Access.ADMIN, this::event);
        router.on("POST", "/events", "application/json", Access.ADMIN, this::add);
    }

    private Reply locks(Call call) {
        return Reply.json(
                locks.held().stream()
                        .map(lock ->
                                Json.of(
                                        "type",
                                        lock.name().kind(),
                                        "resource",
                                        lock.name().resource(),
                                        "timeout",
                                        fraction(lock.timeout()),
                                        "task_id",
                                        Long.toString(lock.task())))
                        .toList());
    }

    private static String fraction(Instant time) {
        return String.format(Locale.ROOT, "%d.%06d", time.getEpochSecond(), time.getNano() / 1000);
    }

    private Reply events(Call call) {
        Predicate<Rows.Event> wanted = filter(call);
        Long before = number(call.query("before_id"));
        var found = new ArrayList<Map<String, Object>>();
        while (found.size() < MOST_EVENTS) {
            Long from = before;
            List<Rows.Event> page =
                    store.read(s -> s.events(from, call.query("deployment"), MOST_EVENTS));
            page.stream()
                    .filter(wanted)
                    .limit(MOST_EVENTS - found.size())
                    .map(AuditApi::json)
                    .forEach(found::add);
            if (page.size() < MOST_EVENTS) {
                break;
            }
            before = page.getLast().id();
        }
        return Reply.json(found);
    }

    private static Predicate<Rows.Event> filter(Call call) {
        Instant beforeTime = time(call.query("before_time"));
        Instant afterTime = time(call.query("after_time"));
        return event ->
                (beforeTime == null || event.at().isBefore(beforeTime))
                        && (afterTime == null
                                || event.at().getEpochSecond() > afterTime.getEpochSecond())
                        && fits(call, "task", event.task())
                        && fits(call, "instance", event.instance())
                        && fits(call, "user", event.user())
                        && fits(call, "action", event.action())
                        && fits(call, "object_type", event.objectType())
                        && fits(call, "object_name", event.objectName());
    }

    private static boolean fits(Call call, String name, @Nullable Object value) {
        String wanted = call.query(name);
        return wanted == null || wanted.equals(value == null ? null : value.toString());
    }

    private static @Nullable Long number(@Nullable String text) {
        if (text == null || text.isEmpty()) {
            return null;
        }
        if (!text.matches("\\d{1,18}")) {
            throw new ProblemException(40005, "'" + text + "' is not the id of an event");
        }
        return Long.valueOf(text);
    }

    private static @Nullable Instant time(@Nullable String text) {
        if (text == null || text.isEmpty()) {
            return null;
        }
        if (text.matches("\\d{1,12}")) {
            return Instant.ofEpochSecond(Long.parseLong(text));
        }
        for (String form :
                List.of(
                        "yyyy-MM-dd HH:mm:ss",
                        "yyyy-MM-dd HH:mm:ss 'UTC'",
                        "EEE MMM d HH:mm:ss 'UTC' yyyy")) {
            try {
                return LocalDateTime.parse(text, DateTimeFormatter.ofPattern(form, Locale.ENGLISH))
                        .toInstant(ZoneOffset.UTC);
            } catch (DateTimeException e) {
                continue;
            }
        }
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            throw new ProblemException(40005, "Invalid time: '" + text + "'");
        }
    }

    private Reply event(Call call) {
        String id = call.parameter("id");
        if (!id.matches("\\d{1,18}")) {
            return Reply.text(404, "Event not found");
        }
        return store.read(s -> s.event(Long.parseLong(id)))
                .map(event -> Reply.json(json(event)))
                .orElseGet(() -> Reply.text(404, "Event not found"));
    }

    private static Map<String, Object> json(Rows.Event event) {
        var json = new LinkedHashMap<String, Object>();
        json.put("id", Long.toString(event.id()));
        put(json, "parent_id", event.parent());
        json.put("timestamp", event.at().getEpochSecond());
        put(json, "user", event.user());
        json.put("action", event.action());
        json.put("object_type", event.objectType());
        put(json, "object_name", event.objectName());
        put(json, "task", event.task());
        put(json, "deployment", event.deployment());
        put(json, "instance", event.instance());
        put(json, "error", event.error());
        json.put("context", event.context());
        return json;
    }

    private static void put(Map<String, Object> json, String key, @Nullable Object value) {
        if (value != null && !value.toString().isEmpty()) {
            json.put(key, value.toString());
        }
    }

    private Reply add(Call call) throws IOException {
        Fields body = call.json();
        for (String key : List.of("action", "object_type", "object_name")) {
            if (Objects.requireNonNullElse(body.optionalString(key), "").isEmpty()) {
                throw new ProblemException(
                        40000, "Property '" + key + "' is required and must be text");
            }
        }
        trail.record(
                new AuditTrail.Entry(
                        null,
                        call.userName(),
                        body.string("action"),
                        body.string("object_type"),
                        body.string("object_name"),
                        null,
                        body.optionalString("deployment"),
                        body.optionalString("instance"),
                        body.optionalString("error"),
                        body.object("context").tree()));
        return new Reply.Empty(200);
    }
}
