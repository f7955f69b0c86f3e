import org.apache.kafka.common.metrics.MeasurableStat;
import org.apache.kafka.common.metrics.MetricConfig;
import org.apache.kafka.common.metrics.stats.Avg;
import org.apache.kafka.common.metrics.stats.CumulativeCount;
import org.apache.kafka.common.metrics.stats.CumulativeSum;
import org.apache.kafka.common.metrics.stats.Max;
import org.apache.kafka.common.metrics.stats.Min;
import org.apache.kafka.common.metrics.stats.Rate;
import org.apache.kafka.common.metrics.stats.Value;
import org.apache.kafka.common.metrics.stats.WindowedCount;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;

/**
 * Prints what Kafka's stats say of values that come at certain moments, one JSON line per case.
 *
 * <pre>java -cp 'JARS/*' SampledMetrics.java > ../sampled-metrics.jsonl</pre>
 *
 * where JARS is the folder of ../README.md.
 */
public final class SampledMetrics {
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    private final MetricConfig config;
    private final Map<String, MeasurableStat> stats = new LinkedHashMap<>();
    private final StringJoiner steps = new StringJoiner(", ", "[", "]");

    private SampledMetrics(int samples, long windowMs) {
        config = new MetricConfig().samples(samples).timeWindow(windowMs, TimeUnit.MILLISECONDS);
        stats.put("rate", new Rate());
        stats.put("countRate", new Rate(new WindowedCount()));
        stats.put("countRatePerHour", new Rate(TimeUnit.HOURS, new WindowedCount()));
        stats.put("ratioOfNs", new Rate(TimeUnit.NANOSECONDS));
        stats.put("avg", new Avg());
        stats.put("max", new Max());
        stats.put("min", new Min());
        stats.put("total", new CumulativeSum());
        stats.put("totalCount", new CumulativeCount());
        stats.put("last", new Value());
    }

    public static void main(String[] args) {
        for (int samples : new int[] {1, 2, 3}) {
            print("one value, read at every edge", samples, 30_000, SampledMetrics::oneValue);
            print("a value at both sides of every edge", samples, 30_000, SampledMetrics::edges);
            print("a pause, and then another burst", samples, 30_000, SampledMetrics::pause);
        }
        print("negative values and fractions", 2, 30_000, SampledMetrics::fractions);
        print("at random, read often", 2, 30_000, stats -> stats.atRandom(1, 40_000, 2));
        print("at random, read seldom", 2, 30_000, stats -> stats.atRandom(2, 20_000, 10));
        print("at random, many small windows", 10, 100, stats -> stats.atRandom(3, 400, 4));
        print("at random, one window", 1, 1_000, stats -> stats.atRandom(4, 1_500, 3));
        OUT.flush();
    }

    private void oneValue() {
        record(0, 100);
        for (long edgeMs = 0; edgeMs <= 150_000; edgeMs += 30_000) readAround(edgeMs);
    }

    private void edges() {
        for (long edgeMs = 30_000; edgeMs <= 180_000; edgeMs += 30_000) {
            record(edgeMs - 1, edgeMs / 1_000);
            record(edgeMs, edgeMs / 100);
            record(edgeMs + 1, edgeMs / 10);
            readAround(edgeMs + 15_000);
        }
        for (long atMs = 196_000; atMs <= 300_000; atMs += 8_000) readAround(atMs);
    }

    private void pause() {
        for (long atMs = 1_000; atMs < 40_000; atMs += 3_000) record(atMs, 7);
        read(40_000);
        read(99_999);
        read(100_000);
        read(500_000);
        for (long atMs = 510_000; atMs < 530_000; atMs += 5_000) record(atMs, 11);
        readAround(530_000);
        record(700_000, 13);
        readAround(700_100);
    }

    private void fractions() {
        double[] values = {-1.5, 0.1, 0.2, -0.3, 1e9, 0, 3.25};
        long atMs = 0;
        for (double value : values) {
            record(atMs, value);
            read(atMs += 11_000);
        }
    }

    private void atRandom(long seed, int maxPauseMs, int recordsPerRead) {
        Random random = new Random(seed);
        long atMs = 1_000;
        record(atMs, 1);
        for (int step = 0; step < 150; step++) {
            atMs += random.nextInt(4) == 0 ? random.nextInt(maxPauseMs) : random.nextInt(maxPauseMs / 20);
            if (random.nextInt(recordsPerRead) == 0) read(atMs);
            else record(atMs, random.nextInt(1_000));
        }
        read(atMs);
    }

    private void readAround(long atMs) {
        if (atMs > 0) read(atMs - 1);
        read(atMs);
        read(atMs + 1);
    }

    private void record(long atMs, double value) {
        stats.values().forEach(stat -> stat.record(config, value, atMs));
        steps.add("{\"atMs\": " + atMs + ", \"record\": " + value + "}");
    }

    private void read(long atMs) {
        StringJoiner values = new StringJoiner(", ", "{", "}");
        stats.forEach((name, stat) -> {
            double value = stat.measure(config, atMs);
            values.add('"' + name + "\": " + (Double.isNaN(value) ? "\"NaN\"" : value));
        });
        steps.add("{\"atMs\": " + atMs + ", \"read\": " + values + "}");
    }

    private interface Case {
        void play(SampledMetrics stats);
    }

    private static void print(String title, int samples, long windowMs, Case toPlay) {
        SampledMetrics stats = new SampledMetrics(samples, windowMs);
        toPlay.play(stats);
        OUT.println("{\"case\": \"" + title + "\", \"numSamples\": " + samples + ", \"sampleWindowMs\": " + windowMs
            + ", \"steps\": " + stats.steps + "}");
    }
}
