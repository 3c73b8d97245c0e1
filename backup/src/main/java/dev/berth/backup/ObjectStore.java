package dev.berth.backup;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * A bucket of an S3-compatible store. A backup is one multipart upload, of which nobody sees
 * anything before it is completed; one part at a time is in memory. Credentials are looked for
 * where the protocol's own tools do (environment, {@code ~/.aws/credentials}, the machine's role).
 */
public final class ObjectStore implements BackupPlace {
    private static final String ENDING = ".berthbackup";

    /** With the 10,000 parts an upload may have: backups of 160 GB compressed. */
    private static final int PART = 16 << 20;

    private static final int NOT_IMPLEMENTED = 501;
    private static final Duration SILENCE = Duration.ofSeconds(60);

    private final S3Client client;
    private final String bucket;
    private final String prefix;

    private ObjectStore(S3Client client, String bucket, String prefix) {
        this.client = client;
        this.bucket = bucket;
        this.prefix = prefix;
    }

    /**
     * @param url {@code s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]}
     */
    public static ObjectStore at(String url) throws BackupException {
        URI uri;
        try {
            uri = URI.create(url);
        } catch (IllegalArgumentException e) {
            throw new BackupException("'" + url + "' is no URL: " + e.getMessage(), e);
        }
        String bucket = uri.getAuthority();
        if (!"s3".equals(uri.getScheme()) || bucket == null || bucket.contains("@")) {
            throw new BackupException(
                    "a place in an object store is s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]");
        }
        Map<String, String> options = options(uri.getQuery());
        var builder =
                S3Client.builder()
                        .httpClientBuilder(
                                UrlConnectionHttpClient.builder()
                                        .connectionTimeout(SILENCE)
                                        .socketTimeout(SILENCE))
                        // Signed as a whole: not every store takes the protocol's own chunks.
                        .serviceConfiguration(c -> c.chunkedEncodingEnabled(false))
                        .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                        .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                        .region(Region.of(options.getOrDefault("region", "us-east-1")));
        String endpoint = options.get("endpoint");
        if (endpoint != null) {
            builder.endpointOverride(URI.create(endpoint)).forcePathStyle(true);
        }
        String path = uri.getPath() == null ? "" : uri.getPath().replaceAll("^/+|/+$", "");
        return new ObjectStore(builder.build(), bucket, path.isEmpty() ? "" : path + "/");
    }

    private static Map<String, String> options(@Nullable String query) throws BackupException {
        var options = new HashMap<String, String>();
        for (String pair : query == null ? List.<String>of() : List.of(query.split("&"))) {
            int equals = pair.indexOf('=');
            String name = equals < 0 ? pair : pair.substring(0, equals);
            if (!name.equals("endpoint") && !name.equals("region")) {
                throw new BackupException("'" + name + "' is no option of an s3 URL");
            }
            options.put(name, pair.substring(equals + 1));
        }
        return options;
    }

    private String key(String id) {
        return prefix + id + ENDING;
    }

    private <T> T asked(String what, Supplier<T> call) throws BackupException {
        try {
            return call.get();
        } catch (SdkException e) {
            throw new BackupException(
                    "the object store cannot "
                            + what
                            + " in bucket "
                            + bucket
                            + ": "
                            + e.getMessage(),
                    e);
        }
    }

    @Override
    public Sink create(String id) throws IOException {
        String upload =
                asked(
                        "begin " + key(id),
                        () ->
                                client.createMultipartUpload(b -> b.bucket(bucket).key(key(id)))
                                        .uploadId());
        return new UploadSink(id, upload);
    }

    private final class UploadSink implements Sink {
        private final String id;
        private final String upload;
        private final List<CompletedPart> parts = new ArrayList<>();
        private final ByteArrayOutputStream part = new ByteArrayOutputStream(PART);
        private long bytes;
        private boolean committed;

        UploadSink(String id, String upload) {
            this.id = id;
            this.upload = upload;
        }

        @Override
        public OutputStream out() {
            return new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    write(new byte[] {(byte) b}, 0, 1);
                }

                @Override
                public void write(byte[] from, int offset, int length) throws IOException {
                    int at = offset;
                    int left = length;
                    while (left > 0) {
                        int some = Math.min(left, PART - part.size());
                        part.write(from, at, some);
                        at += some;
                        left -= some;
                        if (part.size() == PART) {
                            send();
                        }
                    }
                }
            };
        }

        private void send() throws IOException {
            int number = parts.size() + 1;
            byte[] content = part.toByteArray();
            String tag =
                    asked(
                            "take part " + number,
                            () ->
                                    client.uploadPart(
                                                    b ->
                                                            b.bucket(bucket)
                                                                    .key(key(id))
                                                                    .uploadId(upload)
                                                                    .partNumber(number),
                                                    RequestBody.fromBytes(content))
                                            .eTag());
            parts.add(CompletedPart.builder().partNumber(number).eTag(tag).build());
            bytes += content.length;
            part.reset();
        }

        @Override
        public long bytes() {
            return bytes + part.size();
        }

        @Override
        public void commit() throws IOException {
            if (part.size() > 0) {
                send();
            }
            Object ignored =
                    asked(
                            "complete " + key(id),
                            () ->
                                    client.completeMultipartUpload(b ->
                                            b.bucket(bucket)
                                                    .key(key(id))
                                                    .uploadId(upload)
                                                    .multipartUpload(u -> u.parts(parts))));
            committed = true;
        }

        @Override
        public void close() throws IOException {
            if (!committed) {
                abort(key(id), upload);
            }
        }
    }

    private void abort(String key, String upload) throws BackupException {
        Object ignored =
                asked(
                        "give up " + key,
                        () ->
                                client.abortMultipartUpload(
                                        b -> b.bucket(bucket).key(key).uploadId(upload)));
    }

    @Override
    public InputStream open(String id) throws IOException {
        return asked("give " + key(id), () -> client.getObject(b -> b.bucket(bucket).key(key(id))));
    }

    @Override
    public void delete(String id) throws IOException {
        Object ignored =
                asked(
                        "delete " + key(id),
                        () -> client.deleteObject(b -> b.bucket(bucket).key(key(id))));
    }

    @Override
    public void sweep(Predicate<String> isBeingMade) throws IOException {
        List<MultipartUpload> left = asked("list what was begun", this::begun);
        for (MultipartUpload upload : left) {
            String key = upload.key();
            if (key.endsWith(ENDING)
                    && !isBeingMade.test(
                            key.substring(prefix.length(), key.length() - ENDING.length()))) {
                abort(key, upload.uploadId());
            }
        }
    }

    private List<MultipartUpload> begun() {
        try {
            return client.listMultipartUploads(b -> b.bucket(bucket).prefix(prefix)).uploads();
        } catch (S3Exception e) {
            if (e.statusCode() != NOT_IMPLEMENTED) {
                throw e;
            }
            return List.of(); // such a store ends by itself what is never completed, or not at all
        }
    }

    @Override
    public String location(String id) {
        return "s3://" + bucket + "/" + key(id);
    }
}
