import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.Stores;

/** The topology of each `op`, as README.md beside the vectors describes it. Values are strings. */
final class Cases {
  /** Between the key of a windowed result and the bounds of its window; in no key. */
  static final String WINDOW = "\u0001";
  private static final Serde<String> TEXT = Serdes.String();
  private static final ValueJoiner<String, String, String> BOTH = (left, right) -> left + "+" + right;

  static List<String> build(StreamsBuilder builder, JsonNode one) {
    switch (one.get("op").asText()) {
      case "stateless-chain": return stateless(builder, one);
      case "stream-aggregate": case "stream-reduce": aggregate(builder, one).toStream().to("out"); break;
      case "table-aggregate": tableAggregate(builder, one).toStream().to("out"); break;
      case "window-aggregate": window(builder, one); break;
      case "session-aggregate": session(builder, one); break;
      case "suppress-time-limit":
        grouped(builder).aggregate(() -> null, folding("collect"), Materialized.with(TEXT, TEXT))
            .suppress(Suppressed.untilTimeLimit(millis(one, "limitMs"), Suppressed.BufferConfig.unbounded())).toStream().to("out");
        break;
      case "stream-stream-join": streamJoin(builder, one); break;
      case "stream-table-join": streamTableJoin(builder, one); break;
      case "table-table-join": tableJoin(builder, one); break;
      case "stream-globaltable-join": globalJoin(builder, one); break;
      case "foreign-key-join": foreignKeyJoin(builder, one); break;
      case "versioned-stream-table-join": versionedJoin(builder, one); break;
      default: throw new IllegalArgumentException("no such op: " + one.get("op"));
    }
    return List.of("out");
  }

  private static List<String> stateless(StreamsBuilder builder, JsonNode one) {
    KStream<String, String> source = builder.stream("in");
    KStream<String, String> chain = source;
    for (JsonNode step : one.get("steps")) {
      switch (step.asText()) {
        case "filter-even": chain = chain.filter((key, value) -> Long.parseLong(value) % 2 == 0); break;
        case "filterNot-even": chain = chain.filterNot((key, value) -> Long.parseLong(value) % 2 == 0); break;
        case "mapValues-plus1": chain = chain.mapValues(value -> String.valueOf(Long.parseLong(value) + 1)); break;
        case "selectKey-mod3": chain = chain.selectKey((key, value) -> String.valueOf(Long.parseLong(value) % 3)); break;
        case "flatMapValues-twice": chain = chain.flatMapValues(value -> List.of(value, value)); break;
        case "map-swap": chain = chain.map((key, value) -> KeyValue.pair(value, key)); break;
        default: throw new IllegalArgumentException("no such step: " + step);
      }
    }
    switch (one.get("end").asText()) {
      case "to": chain.to("out"); return List.of("out");
      case "merge-with-original": chain.merge(source).to("out"); return List.of("out");
      default:
        chain.split(Named.as("split-"))
            .branch((key, value) -> Long.parseLong(value) < 30, Branched.withConsumer(stream -> stream.to("low")))
            .branch((key, value) -> Long.parseLong(value) < 60, Branched.withConsumer(stream -> stream.to("mid")))
            .defaultBranch(Branched.withConsumer(stream -> stream.to("high")));
        return List.of("low", "mid", "high");
    }
  }

  private static KGroupedStream<String, String> grouped(StreamsBuilder builder) {
    return builder.<String, String>stream("in").groupByKey();
  }

  private static Initializer<String> initial(String aggregate) {
    return () -> aggregate.equals("count") || aggregate.equals("sum") ? "0" : null;
  }

  private static String fold(String aggregate, String before, String value) {
    switch (aggregate) {
      case "count": return String.valueOf(Long.parseLong(before) + 1);
      case "sum": return String.valueOf(Long.parseLong(before) + Long.parseLong(value));
      case "min": return before == null ? value : String.valueOf(Math.min(Long.parseLong(before), Long.parseLong(value)));
      case "max": return before == null ? value : String.valueOf(Math.max(Long.parseLong(before), Long.parseLong(value)));
      case "collect": return before == null ? value : before + "," + value;
      default: throw new IllegalArgumentException("no such aggregate: " + aggregate);
    }
  }

  private static Aggregator<String, String, String> folding(String aggregate) {
    return (key, value, before) -> fold(aggregate, before, value);
  }

  private static KTable<String, String> aggregate(StreamsBuilder builder, JsonNode one) {
    String aggregate = one.get("aggregate").asText();
    if (one.get("op").asText().equals("stream-reduce")) return grouped(builder).reduce((before, value) -> fold(aggregate, before, value));
    return grouped(builder).aggregate(initial(aggregate), folding(aggregate), Materialized.with(TEXT, TEXT));
  }

  private static KTable<String, String> tableAggregate(StreamsBuilder builder, JsonNode one) {
    boolean counts = one.get("aggregate").asText().equals("count");
    return builder.<String, String>table("in")
        .groupBy((key, value) -> KeyValue.pair(String.valueOf(Long.parseLong(value) % 3), value))
        .aggregate(() -> "0",
            (key, value, before) -> String.valueOf(Long.parseLong(before) + (counts ? 1 : Long.parseLong(value))),
            (key, value, before) -> String.valueOf(Long.parseLong(before) - (counts ? 1 : Long.parseLong(value))),
            Materialized.with(TEXT, TEXT));
  }

  private static Duration millis(JsonNode node, String field) {
    return Duration.ofMillis(node.get(field).asLong());
  }

  private static void window(StreamsBuilder builder, JsonNode one) {
    JsonNode window = one.get("window");
    String aggregate = one.get("aggregate").asText();
    Duration grace = millis(window, "graceMs");
    KTable<Windowed<String>, String> results;
    if (window.get("type").asText().equals("sliding")) {
      results = grouped(builder).windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(millis(window, "timeDifferenceMs"), grace))
          .aggregate(initial(aggregate), folding(aggregate), Materialized.with(TEXT, TEXT));
    } else {
      TimeWindows windows = TimeWindows.ofSizeAndGrace(millis(window, "sizeMs"), grace);
      if (window.has("advanceMs")) windows = windows.advanceBy(millis(window, "advanceMs"));
      results = grouped(builder).windowedBy(windows).aggregate(initial(aggregate), folding(aggregate), Materialized.with(TEXT, TEXT));
    }
    windowedOutput(results, one);
  }

  private static void session(StreamsBuilder builder, JsonNode one) {
    JsonNode window = one.get("window");
    String aggregate = one.get("aggregate").asText();
    windowedOutput(grouped(builder)
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(millis(window, "gapMs"), millis(window, "graceMs")))
        .aggregate(initial(aggregate), folding(aggregate), (key, left, right) -> merged(aggregate, left, right), Materialized.with(TEXT, TEXT)), one);
  }

  private static String merged(String aggregate, String left, String right) {
    if (left == null) return right;
    if (right == null) return left;
    return fold(aggregate.equals("count") ? "sum" : aggregate, left, right);
  }

  private static void windowedOutput(KTable<Windowed<String>, String> results, JsonNode one) {
    KTable<Windowed<String>, String> told = one.get("emit").asText().equals("final")
        ? results.suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded())) : results;
    told.toStream((key, value) -> key.key() + WINDOW + key.window().start() + WINDOW + key.window().end()).to("out");
  }

  private static void streamJoin(StreamsBuilder builder, JsonNode one) {
    KStream<String, String> left = builder.stream("left");
    KStream<String, String> right = builder.stream("right");
    JsonNode window = one.get("window");
    JoinWindows windows = JoinWindows.ofTimeDifferenceAndGrace(Duration.ZERO, millis(window, "graceMs"))
        .before(millis(window, "beforeMs")).after(millis(window, "afterMs"));
    StreamJoined<String, String, String> joined = StreamJoined.with(TEXT, TEXT, TEXT);
    switch (one.get("join").asText()) {
      case "inner": left.join(right, BOTH, windows, joined).to("out"); break;
      case "left": left.leftJoin(right, BOTH, windows, joined).to("out"); break;
      default: left.outerJoin(right, BOTH, windows, joined).to("out");
    }
  }

  private static void streamTableJoin(StreamsBuilder builder, JsonNode one) {
    KTable<String, String> right = builder.table("right");
    KStream<String, String> left = builder.stream("left");
    if (one.get("join").asText().equals("left")) left.leftJoin(right, BOTH).to("out");
    else left.join(right, BOTH).to("out");
  }

  private static void tableJoin(StreamsBuilder builder, JsonNode one) {
    KTable<String, String> left = builder.table("left");
    KTable<String, String> right = builder.table("right");
    switch (one.get("join").asText()) {
      case "inner": left.join(right, BOTH).toStream().to("out"); break;
      case "left": left.leftJoin(right, BOTH).toStream().to("out"); break;
      default: left.outerJoin(right, BOTH).toStream().to("out");
    }
  }

  private static void globalJoin(StreamsBuilder builder, JsonNode one) {
    GlobalKTable<String, String> right = builder.globalTable("right");
    KStream<String, String> left = builder.stream("left");
    if (one.get("join").asText().equals("left")) left.leftJoin(right, (key, value) -> value, BOTH).to("out");
    else left.join(right, (key, value) -> value, BOTH).to("out");
  }

  private static void foreignKeyJoin(StreamsBuilder builder, JsonNode one) {
    KTable<String, String> left = builder.table("left");
    KTable<String, String> right = builder.table("right");
    if (one.get("join").asText().equals("left")) left.leftJoin(right, Cases::foreignKey, BOTH).toStream().to("out");
    else left.join(right, Cases::foreignKey, BOTH).toStream().to("out");
  }

  private static String foreignKey(String value) {
    int bar = value.indexOf('|');
    return Objects.requireNonNull(value).substring(0, bar < 0 ? value.length() : bar);
  }

  private static void versionedJoin(StreamsBuilder builder, JsonNode one) {
    KTable<String, String> right = builder.table("right",
        Materialized.<String, String>as(Stores.persistentVersionedKeyValueStore("right", millis(one, "historyRetentionMs"))));
    KStream<String, String> left = builder.stream("left");
    long graceMs = one.get("graceMs").asLong();
    Joined<String, String, String> joined = Joined.with(TEXT, TEXT, TEXT);
    if (graceMs > 0) joined = joined.withGracePeriod(Duration.ofMillis(graceMs));
    if (one.get("join").asText().equals("left")) left.leftJoin(right, BOTH, joined).to("out");
    else left.join(right, BOTH, joined).to("out");
  }
}
