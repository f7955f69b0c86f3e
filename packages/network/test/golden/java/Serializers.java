import org.apache.kafka.common.serialization.DoubleSerializer;
import org.apache.kafka.common.serialization.IntegerSerializer;
import org.apache.kafka.common.serialization.LongSerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.serialization.UUIDSerializer;
import org.apache.kafka.common.serialization.VoidSerializer;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.UUID;

/**
 * Prints what Kafka's own serializers write, one JSON object per value.
 *
 * <pre>java -cp 'JARS/*' Serializers.java > ../serializers.jsonl</pre>
 *
 * where JARS is the folder of ../README.md.
 */
public final class Serializers {
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    public static void main(String[] args) {
        for (int value : new int[] {0, 1, -1, 42, 305419896, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            print("int", new IntegerSerializer(), value, Integer.toString(value));
        }
        for (long value : new long[] {0, 1, -1, 42, 81985529216486895L, (1L << 53) + 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
            print("bigint", new LongSerializer(), value, Long.toString(value));
        }
        double[] doubles = {
            0, -0.0, 1, -1, 0.1, Math.PI, 1e300, Double.MIN_VALUE, Double.MAX_VALUE,
            Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN
        };
        for (double value : doubles) print("double", new DoubleSerializer(), value, Double.toString(value));
        String[] uuids = {
            "123e4567-e89b-12d3-a456-426614174000", "00000000-0000-0000-0000-000000000000",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"
        };
        for (String value : uuids) print("uuid", new UUIDSerializer(), UUID.fromString(value), value);
        print("nothing", new VoidSerializer(), null, "null");
        for (String value : new String[] {"", "orders", "gr\u00fcn \u4e2d \ud83d\ude00"}) {
            print("string", new StringSerializer(), value, value);
        }
        OUT.flush();
    }

    private static <T> void print(String serde, Serializer<T> serializer, T value, String text) {
        byte[] bytes = serializer.serialize("orders", value);
        String hex = bytes == null ? "null" : '"' + HexFormat.of().formatHex(bytes) + '"';
        OUT.print("{\"serde\":\"" + serde + "\",\"value\":\"" + text + "\",\"bytes\":" + hex + "}\n");
    }
}
