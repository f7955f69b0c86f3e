import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.ByteBufferOutputStream;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.StringJoiner;

/**
 * Record batches and Kafka's own reading of them, one JSON object per line; ../README.md explains it.
 *
 * <pre>
 * java -cp 'CACHE/*' RecordBatches.java &gt; ../batches.jsonl                     batches that Kafka writes
 * java -cp 'CACHE/*' RecordBatches.java batches.txt &gt; ../batches-read-by-java.jsonl   batches that were written elsewhere
 * </pre>
 *
 * where CACHE is the folder with the kafka-clients jar and what it depends on. Each line of batches.txt is a name, a space
 * and hexadecimal bytes.
 */
public final class RecordBatches {
    private static final long T = 1_700_000_000_000L;
    private static final Header[] NONE = new Header[0];
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    public static void main(String[] args) throws IOException {
        if (args.length == 0) {
            write();
        } else {
            for (String line : Files.readAllLines(Path.of(args[0]))) {
                String[] parts = line.split(" ");
                print(parts[0], ByteBuffer.wrap(HexFormat.of().parseHex(parts[1])));
            }
        }
        OUT.flush();
    }

    private static void write() throws IOException {
        for (CompressionType type : CompressionType.values()) {
            Compression codec = codec(type);
            print("v2 " + type.name, build((byte) 2, codec, TimestampType.CREATE_TIME, 100L, builder -> {
                builder.append(T, null, bytes("v0"), NONE);
                builder.append(T + 5, bytes("k"), null, headers());
                builder.append(T - 3, bytes(""), bytes(""), NONE);
                builder.append(T + 10_000_000_000L, bytes("later"), bytes("more than 32 bits"), NONE);
                builder.append(T - 10_000_000_000L, bytes("earlier"), bytes("\u00e9\u4e2d\ud83d\ude00"), NONE);
            }));
            print("v2 " + type.name + " log append time", build((byte) 2, codec, TimestampType.LOG_APPEND_TIME, 7L, builder -> {
                builder.append(T, bytes("a"), bytes("1"), NONE);
                builder.append(T + 77, bytes("b"), bytes("2"), NONE);
            }));
            if (type == CompressionType.NONE) continue;
            print("v2 " + type.name + " large", build((byte) 2, codec, TimestampType.CREATE_TIME, 0L, builder -> {
                builder.append(T, bytes("k"), pattern(70_000), NONE);
                for (int i = 0; i < 100; i++) builder.append(T + i, bytes("key-" + i), pattern(i), NONE);
            }));
        }
        print("v2 offsets with gaps", build((byte) 2, Compression.NONE, TimestampType.CREATE_TIME, 1000L, builder -> {
            builder.appendWithOffset(1000L, T, bytes("a"), bytes("1"), NONE);
            builder.appendWithOffset(1003L, T, bytes("b"), bytes("2"), NONE);
            builder.appendWithOffset(1_000_000L, T, bytes("c"), bytes("3"), NONE);
        }));
        print("v2 transactional", transactional());
        print("v2 delete horizon", deleteHorizon());
        ByteBuffer empty = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
        DefaultRecordBatch.writeEmptyHeader(empty, (byte) 2, 4000L, (short) 7, 42, 50L, 59L, 3, TimestampType.CREATE_TIME, T, true, false);
        empty.flip();
        print("v2 emptied by compaction", empty);
        print("v2 commit", MemoryRecords.withEndTransactionMarker(17L, T, 5, 4000L, (short) 7, new EndTransactionMarker(ControlRecordType.COMMIT, 3)).buffer());
        print("v2 abort", MemoryRecords.withEndTransactionMarker(17L, T, 5, 4000L, (short) 7, new EndTransactionMarker(ControlRecordType.ABORT, 3)).buffer());
        print("v2 leader change", MemoryRecords.withLeaderChangeMessage(9L, T, 5, ByteBuffer.allocate(512), new LeaderChangeMessage().setLeaderId(1)).buffer());

        for (byte magic = 0; magic <= 1; magic++) {
            for (CompressionType type : CompressionType.values()) {
                if (type == CompressionType.ZSTD) continue;
                Compression codec = codec(type);
                String name = "v" + magic + " " + type.name;
                print(name, build(magic, codec, TimestampType.CREATE_TIME, 100L, builder -> {
                    builder.append(T, null, bytes("v0"));
                    builder.append(T + 5, bytes("k"), (byte[]) null);
                    builder.append(T - 3, bytes(""), bytes(""));
                }));
                print(name + " with gaps", build(magic, codec, TimestampType.CREATE_TIME, 1000L, builder -> {
                    builder.appendWithOffset(1000L, T, bytes("a"), bytes("1"));
                    builder.appendWithOffset(1003L, T, bytes("b"), bytes("2"));
                    builder.appendWithOffset(1_000_000L, T, bytes("c"), bytes("3"));
                }));
                if (type != CompressionType.NONE) print(name + " large", build(magic, codec, TimestampType.CREATE_TIME, 0L, builder -> {
                    builder.append(T, bytes("k"), pattern(70_000));
                    for (int i = 0; i < 100; i++) builder.append(T + i, bytes("key-" + i), pattern(i));
                }));
                if (magic == 1) print(name + " log append time", build(magic, codec, TimestampType.LOG_APPEND_TIME, 7L, builder -> {
                    builder.append(T, bytes("a"), bytes("1"));
                    builder.append(T + 77, bytes("b"), bytes("2"));
                }));
            }
        }
        print("v0, v1 and v2 in a row", inARow());
    }

    private interface Appends {
        void to(MemoryRecordsBuilder builder);
    }

    private static ByteBuffer build(byte magic, Compression codec, TimestampType type, long baseOffset, Appends appends) {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1024), magic, codec, type, baseOffset, T + 1000);
        appends.to(builder);
        return builder.build().buffer();
    }

    private static ByteBuffer transactional() {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1024), (byte) 2, Compression.NONE, TimestampType.CREATE_TIME, 0L, -1L, 4000L, (short) 7, 42, true, 6);
        builder.append(T, bytes("k"), bytes("v"), NONE);
        builder.append(T, bytes("k"), bytes("w"), NONE);
        return builder.build().buffer();
    }

    private static ByteBuffer deleteHorizon() {
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(new ByteBufferOutputStream(1024), (byte) 2, Compression.NONE, TimestampType.CREATE_TIME, 20L, -1L, -1L, (short) -1, -1, false, false, 6, Integer.MAX_VALUE, T + 60_000);
        builder.append(T, bytes("k"), (byte[]) null, NONE);
        return builder.build().buffer();
    }

    private static ByteBuffer inARow() {
        ByteBuffer all = ByteBuffer.allocate(4096);
        for (byte magic = 0; magic <= 2; magic++) {
            int start = magic * 10;
            all.put(build(magic, Compression.gzip().build(), TimestampType.CREATE_TIME, start, builder -> {
                builder.append(T, bytes("a"), bytes("1"));
                builder.append(T, bytes("b"), bytes("2"));
            }));
        }
        all.flip();
        return all;
    }

    private static Compression codec(CompressionType type) {
        return Compression.of(type).build();
    }

    private static Header[] headers() {
        return new Header[] {new RecordHeader("h1", bytes("x")), new RecordHeader("h1", null), new RecordHeader("\u00e9", bytes(""))};
    }

    private static byte[] pattern(int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) bytes[i] = (byte) ("abcdefgh".charAt(i % 8) + i / 1000 % 7);
        return bytes;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void print(String name, ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        List<String> batches = new ArrayList<>();
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(buffer.duplicate()).batches()) {
            batch.ensureValid();
            batches.add(batch(batch));
        }
        OUT.println("{\"name\":\"" + name + "\",\"bytes\":\"" + HexFormat.of().formatHex(bytes) + "\",\"batches\":[" + String.join(",", batches) + "]}");
    }

    private static String batch(MutableRecordBatch batch) {
        StringJoiner records = new StringJoiner(",", "[", "]");
        for (Record record : batch) records.add(record(record));
        return "{\"magic\":" + batch.magic()
            + ",\"lastOffset\":\"" + batch.lastOffset() + "\""
            + ",\"count\":" + batch.countOrNull()
            + ",\"partitionLeaderEpoch\":" + batch.partitionLeaderEpoch()
            + ",\"producerId\":\"" + batch.producerId() + "\""
            + ",\"producerEpoch\":" + batch.producerEpoch()
            + ",\"baseSequence\":" + batch.baseSequence()
            + ",\"isTransactional\":" + batch.isTransactional()
            + ",\"isControl\":" + batch.isControlBatch()
            + ",\"compression\":\"" + batch.compressionType().name + "\""
            + ",\"timestampType\":\"" + batch.timestampType().name + "\""
            + ",\"maxTimestamp\":" + batch.maxTimestamp()
            + ",\"sizeInBytes\":" + batch.sizeInBytes()
            + ",\"records\":" + records + "}";
    }

    private static String record(Record record) {
        StringJoiner headers = new StringJoiner(",", "[", "]");
        for (Header header : record.headers()) {
            headers.add("{\"key\":\"" + header.key() + "\",\"value\":" + hex(header.value()) + "}");
        }
        return "{\"offset\":\"" + record.offset() + "\",\"timestamp\":" + record.timestamp()
            + ",\"key\":" + hex(array(record.key())) + ",\"value\":" + hex(array(record.value())) + ",\"headers\":" + headers + "}";
    }

    private static byte[] array(ByteBuffer buffer) {
        if (buffer == null) return null;
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    /** What is long is told by its size and its SHA-256. */
    private static String hex(byte[] bytes) {
        if (bytes == null) return "null";
        if (bytes.length <= 100) return '"' + HexFormat.of().formatHex(bytes) + '"';
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return "\"" + bytes.length + " " + HexFormat.of().formatHex(digest) + "\"";
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
