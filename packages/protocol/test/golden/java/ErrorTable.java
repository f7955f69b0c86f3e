import org.apache.kafka.common.errors.InvalidMetadataException;
import org.apache.kafka.common.errors.RefreshRetriableException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Prints Kafka's table of error codes as JSON, one object per row of {@link Errors}, in the order of the codes.
 *
 * <pre>java -cp 'JARS/*' ErrorTable.java > ../errors.json</pre>
 *
 * where JARS is the folder of ../README.md.
 */
public final class ErrorTable {
    public static void main(String[] args) {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        out.print("[");
        String separator = "\n";
        for (Errors error : Errors.values()) {
            Exception exception = error.exception();
            out.print(separator + " {\n"
                + "  \"code\": " + error.code() + ",\n"
                + "  \"name\": " + quoted(error.name()) + ",\n"
                + "  \"exception\": " + quoted(exception == null ? "" : exception.getClass().getSimpleName()) + ",\n"
                + "  \"retriable\": " + (exception instanceof RetriableException) + ",\n"
                + "  \"invalidMetadata\": " + (exception instanceof InvalidMetadataException) + ",\n"
                + "  \"refreshRetriable\": " + (exception instanceof RefreshRetriableException) + ",\n"
                + "  \"message\": " + quoted(exception == null ? "" : error.message()) + "\n"
                + " }");
            separator = ",\n";
        }
        out.print("\n]");
        out.flush();
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
