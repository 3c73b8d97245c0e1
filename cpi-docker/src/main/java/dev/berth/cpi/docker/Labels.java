package dev.berth.cpi.docker;

import dev.berth.cpi.CpiContext;
import dev.berth.model.Digests;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The labels on everything this CPI makes: how it is found again (rule R4). */
final class Labels {
    static final String DIRECTOR = "berth.director";
    static final String KIND = "berth.kind";
    static final String CID = "berth.cid";
    static final String AGENT = "berth.agent";
    static final String REQUEST = "berth.request";
    static final String STEMCELL = "berth.stemcell";
    static final String DIGEST = "berth.digest";
    static final String TAG = "berth.tag.";

    private Labels() {}

    static Map<String, String> of(CpiContext context, String kind, String cid) {
        var labels = new LinkedHashMap<String, String>();
        labels.put(DIRECTOR, context.directorUuid());
        labels.put(KIND, kind);
        labels.put(CID, cid);
        labels.put(REQUEST, context.requestId());
        return labels;
    }

    static Map<String, @Nullable String> query(String name, String value, String kind) {
        var query = new LinkedHashMap<String, @Nullable String>();
        query.put(name, value);
        query.put(KIND, kind);
        return query;
    }

    /** Short and fit for names: a director's things of one kind share it. */
    static String directorName(CpiContext context) {
        return Digests.sha256(context.directorUuid()).substring(0, 12);
    }
}
