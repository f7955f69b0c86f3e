import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.ConsumerProtocolAssignment;
import org.apache.kafka.common.message.ConsumerProtocolSubscription;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;

import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Prints what Kafka's own generated classes write: every API that a broker offers to clients, at every version, in
 * both directions, and the blobs of the consumer protocol. One JSON object per line; ../README.md explains it.
 *
 * <pre>java -cp 'JARS/*' MessageFrames.java > ../frames.jsonl</pre>
 *
 * where JARS is the folder of ../README.md.
 */
public final class MessageFrames {
    /** Brokers offer these to each other only: the state of share groups. */
    private static final Set<Integer> BETWEEN_BROKERS = Set.of(83, 84, 85, 86, 87);

    /** What the fields are filled with. */
    private enum Filling {
        /** Nothing was set: the defaults of the generated classes. */
        DEFAULT,
        /** Every field of the version differs from its default, nothing is null, arrays have two items. */
        FULL,
        /** What may be null is, numbers are at the ends of their ranges, other arrays have one item. */
        NULL
    }

    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    public static void main(String[] args) throws ReflectiveOperationException {
        for (ApiMessageType api : ApiMessageType.values()) {
            boolean forClients = api.listeners().contains(ApiMessageType.ListenerType.BROKER)
                && !BETWEEN_BROKERS.contains((int) api.apiKey());
            if (!forClients) continue;
            for (short version = api.lowestSupportedVersion(); version <= api.highestSupportedVersion(true); version++) {
                for (Filling filling : Filling.values()) {
                    printRequest(api, version, filling);
                    printResponse(api, version, filling);
                }
            }
        }
        for (short version = 0; version <= ConsumerProtocolSubscription.HIGHEST_SUPPORTED_VERSION; version++) {
            for (Filling filling : Filling.values()) {
                printBlob("ConsumerProtocolSubscription", version, filling,
                    new ConsumerProtocolSubscription(), ConsumerProtocolSubscription.SCHEMAS[version]);
                printBlob("ConsumerProtocolAssignment", version, filling,
                    new ConsumerProtocolAssignment(), ConsumerProtocolAssignment.SCHEMAS[version]);
            }
        }
        OUT.flush();
    }

    private static void printRequest(ApiMessageType api, short version, Filling filling)
            throws ReflectiveOperationException {
        short headerVersion = api.requestHeaderVersion(version);
        RequestHeaderData header = new RequestHeaderData()
            .setRequestApiKey(api.apiKey())
            .setRequestApiVersion(version)
            .setCorrelationId(correlationId(filling))
            .setClientId(filling == Filling.NULL ? null : filling == Filling.DEFAULT ? "" : "client-\u00e9");
        Message body = api.newRequest();
        new Filler(filling).fill(body, api.requestSchemas()[version]);
        print(api.name, version, "request", filling, List.of(
            new Part(header, RequestHeaderData.SCHEMAS[headerVersion], headerVersion),
            new Part(body, api.requestSchemas()[version], version)));
    }

    private static void printResponse(ApiMessageType api, short version, Filling filling)
            throws ReflectiveOperationException {
        short headerVersion = api.responseHeaderVersion(version);
        ResponseHeaderData header = new ResponseHeaderData().setCorrelationId(correlationId(filling));
        Message body = api.newResponse();
        new Filler(filling).fill(body, api.responseSchemas()[version]);
        print(api.name, version, "response", filling, List.of(
            new Part(header, ResponseHeaderData.SCHEMAS[headerVersion], headerVersion),
            new Part(body, api.responseSchemas()[version], version)));
    }

    /** A blob has its version in front, where a frame has its length and its header. */
    private static void printBlob(String name, short version, Filling filling, Message body, Schema schema)
            throws ReflectiveOperationException {
        new Filler(filling).fill(body, schema);
        String prefix = String.format("%04x", version);
        OUT.println("{\"message\":\"" + name + "\",\"version\":" + version + ",\"direction\":\"blob\",\"case\":\""
            + filling.name().toLowerCase() + "\",\"bytes\":\"" + prefix + hex(new Part(body, schema, version).bytes())
            + "\",\"value\":" + json(reread(body, version)) + "}");
    }

    private static int correlationId(Filling filling) {
        return switch (filling) {
            case DEFAULT -> 0;
            case FULL -> 0x01020304;
            case NULL -> Integer.MAX_VALUE;
        };
    }

    private static void print(String api, short version, String direction, Filling filling, List<Part> parts)
            throws ReflectiveOperationException {
        Part header = parts.get(0);
        Part body = parts.get(1);
        StringBuilder line = new StringBuilder("{\"message\":\"" + api + "\",\"version\":" + version + ",\"direction\":\""
            + direction + "\",\"case\":\"" + filling.name().toLowerCase() + "\",\"bytes\":\"" + frame(parts) + "\"");
        Message value = reread(body.message, version);
        if (filling == Filling.FULL && isFlexible(body.schema)) {
            addUnknownTags(header.message, header.schema);
            addUnknownTags(body.message, body.schema);
            line.append(",\"bytesWithUnknownTags\":\"").append(frame(parts)).append('"');
        }
        line.append(",\"header\":").append(json(reread(header.message, header.version)));
        OUT.println(line.append(",\"value\":").append(json(value)).append('}'));
    }

    /** A message and how it is written. */
    private record Part(Message message, Schema schema, short version) {
        ByteBuffer bytes() {
            ObjectSerializationCache cache = new ObjectSerializationCache();
            ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
            message.write(new ByteBufferAccessor(buffer), cache, version);
            if (buffer.hasRemaining()) throw new IllegalStateException(message + ": fewer bytes than announced");
            return buffer.flip();
        }
    }

    private static String frame(List<Part> parts) {
        StringBuilder frame = new StringBuilder();
        for (Part part : parts) frame.append(hex(part.bytes()));
        return String.format("%08x", frame.length() / 2) + frame;
    }

    /** What Java reads from what Java wrote: fields that the version lacks are at their defaults. */
    private static Message reread(Message message, short version) throws ReflectiveOperationException {
        Message copy = message.getClass().getConstructor().newInstance();
        copy.read(new ByteBufferAccessor(new Part(message, null, version).bytes()), version);
        return copy;
    }

    /** The fields of a schema by the name that they have in Java. */
    private static Map<String, Type> typesOf(Schema schema) {
        Map<String, Type> types = new HashMap<>();
        for (BoundField field : schema.fields()) {
            if (field.def.type instanceof TaggedFields tagged) {
                tagged.fields().values().forEach(each -> types.put(javaName(each.name), each.type));
            } else {
                types.put(javaName(field.def.name), field.def.type);
            }
        }
        return types;
    }

    private static boolean isFlexible(Schema schema) {
        return Arrays.stream(schema.fields()).anyMatch(field -> field.def.type instanceof TaggedFields);
    }

    /** From snake_case, in which a schema names its fields. */
    private static String javaName(String schemaName) {
        StringBuilder name = new StringBuilder();
        for (String word : schemaName.split("_")) {
            name.append(name.isEmpty() ? word : Character.toUpperCase(word.charAt(0)) + word.substring(1));
        }
        return name.toString();
    }

    /** The fields that some supported version has, in the order of their declaration. */
    private static List<Field> fieldsOf(Message message) throws ReflectiveOperationException {
        Set<String> names = new HashSet<>();
        for (Schema schema : (Schema[]) message.getClass().getField("SCHEMAS").get(null)) {
            if (schema != null) names.addAll(typesOf(schema).keySet());
        }
        List<Field> fields = new ArrayList<>();
        for (Field field : message.getClass().getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) || !names.contains(field.getName())) continue;
            field.setAccessible(true);
            fields.add(field);
        }
        return fields;
    }

    /** Sets fields, each to a value that no other field of the message has. */
    private static final class Filler {
        /** Its compact length takes two bytes. One per message keeps the file small. */
        private static final String LONG_TEXT = "x".repeat(127);

        private final Filling filling;
        private int count = 0;
        private boolean longTextUsed = false;

        Filler(Filling filling) {
            this.filling = filling;
        }

        void fill(Message message, Schema schema) throws ReflectiveOperationException {
            if (filling == Filling.DEFAULT) return;
            Map<String, Type> types = typesOf(schema);
            for (Field field : fieldsOf(message)) {
                Type type = types.remove(field.getName());
                if (type != null) field.set(message, valueOf(type, field, field.get(message)));
            }
            if (!types.isEmpty()) throw new IllegalStateException(message.getClass() + " has no fields " + types.keySet());
        }

        private Object valueOf(Type type, Field field, Object unset) throws ReflectiveOperationException {
            if (filling == Filling.NULL && type.isNullable()) return null;
            if (type.isArray()) return arrayOf(type.arrayElementType().get(), field);
            Object value = single(type, field.getType());
            return value.equals(unset) ? single(type, field.getType()) : value;
        }

        private Object single(Type type, Class<?> javaType) throws ReflectiveOperationException {
            if (type instanceof Schema schema) {
                Message struct = (Message) javaType.getConstructor().newInstance();
                fill(struct, schema);
                return struct;
            }
            int n = ++count;
            boolean low = filling == Filling.NULL && n % 2 == 0;
            boolean high = filling == Filling.NULL && n % 2 == 1;
            if (type == Type.UINT16) return low ? 0 : high ? 0xffff : 0xff00 + n % 0xff;
            if (javaType == boolean.class) return n % 2 == 1;
            if (javaType == byte.class || javaType == Byte.class) {
                return low ? Byte.MIN_VALUE : high ? Byte.MAX_VALUE : (byte) (n % 100 - 110);
            }
            if (javaType == short.class || javaType == Short.class) {
                return low ? Short.MIN_VALUE : high ? Short.MAX_VALUE : (short) (0x0100 + n);
            }
            if (javaType == int.class || javaType == Integer.class) {
                return low ? Integer.MIN_VALUE : high ? Integer.MAX_VALUE : 0x01000000 + n;
            }
            if (javaType == long.class || javaType == Long.class) {
                return low ? Long.MIN_VALUE : high ? Long.MAX_VALUE - n : 0x0100000000000000L + n;
            }
            if (javaType == double.class) return n + 0.25;
            if (javaType == String.class) {
                if (low || !high || longTextUsed) return low ? "" : "\u017cs" + n;
                longTextUsed = true;
                return LONG_TEXT;
            }
            if (javaType == Uuid.class) return new Uuid(0x0100000000000000L + n, -n);
            byte[] bytes = low ? new byte[0] : new byte[] {(byte) 0xb0, (byte) n};
            if (javaType == byte[].class) return bytes;
            if (javaType == ByteBuffer.class) return ByteBuffer.wrap(bytes);
            if (javaType == BaseRecords.class) return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
            throw new IllegalStateException("cannot fill a " + javaType);
        }

        @SuppressWarnings("unchecked")
        private Object arrayOf(Type itemType, Field field) throws ReflectiveOperationException {
            boolean plain = field.getType() == List.class;
            Collection<Object> items = plain
                ? new ArrayList<>()
                : (Collection<Object>) field.getType().getConstructor().newInstance();
            java.lang.reflect.Type generic = plain ? field.getGenericType() : field.getType().getGenericSuperclass();
            Class<?> itemClass = (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
            int size = filling == Filling.FULL ? 2 : 1;
            for (int i = 0; i < size; i++) items.add(single(itemType, itemClass));
            return items;
        }
    }

    /** Puts tags that no version knows behind the known ones of every struct. */
    private static void addUnknownTags(Message message, Schema schema) throws ReflectiveOperationException {
        if (!isFlexible(schema)) return;
        message.unknownTaggedFields().add(new RawTaggedField(100, new byte[0]));
        message.unknownTaggedFields().add(new RawTaggedField(20_000, new byte[] {(byte) 0xff, 0, 1}));
        Map<String, Type> types = typesOf(schema);
        for (Field field : fieldsOf(message)) {
            Type type = types.get(field.getName());
            if (type instanceof Schema struct) {
                addUnknownTags((Message) field.get(message), struct);
            } else if (type != null && type.isArray() && type.arrayElementType().get() instanceof Schema item) {
                for (Object each : (Collection<?>) field.get(message)) addUnknownTags((Message) each, item);
            }
        }
    }

    /** As JSON: 64-bit integers as text, bytes as hex, UUIDs as Kafka writes them. */
    private static String json(Object value) throws ReflectiveOperationException {
        if (value == null) return "null";
        if (value instanceof Long || value instanceof Uuid) return "\"" + value + "\"";
        if (value instanceof Number || value instanceof Boolean) return value.toString();
        if (value instanceof String text) return "\"" + text + "\"";
        if (value instanceof byte[] bytes) return "\"" + HexFormat.of().formatHex(bytes) + "\"";
        if (value instanceof ByteBuffer bytes) return "\"" + hex(bytes) + "\"";
        if (value instanceof MemoryRecords records) return "\"" + hex(records.buffer()) + "\"";
        List<String> parts = new ArrayList<>();
        if (value instanceof Collection<?> items) {
            for (Object item : items) parts.add(json(item));
            return "[" + String.join(",", parts) + "]";
        }
        for (Field field : fieldsOf((Message) value)) {
            parts.add("\"" + field.getName() + "\":" + json(field.get(value)));
        }
        return "{" + String.join(",", parts) + "}";
    }

    private static String hex(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
