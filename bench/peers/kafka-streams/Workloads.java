import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;
import voltstream.ChargingEvent;
import voltstream.Station;

/** The workloads of the comparison; `../voltstream-topology.ts` says the same in our words. */
final class Workloads {
  private final PeerOptions options;
  private final Serde<StationLoad> loads = StationLoad.serde();
  private final Serde<ChargingEvent> events;
  private final Serde<Station> stations;
  private final StreamsBuilder builder = new StreamsBuilder();

  Workloads(PeerOptions options, Serde<ChargingEvent> events) {
    this.options = options;
    this.events = events;
    this.stations = new RegisteredAvroSerde<>(options.registryUrl(), Station.getClassSchema());
  }

  Topology build(Properties properties) {
    KStream<String, ChargingEvent> input = builder.stream(options.eventsTopic(), Consumed.with(Serdes.String(), events));
    switch (options.workload()) {
      case "a" -> minutes(input).toStream().to(options.outputTopic(), Produced.with(windowKeys(), loads));
      case "b" -> minutes(input).suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded())).toStream()
          .to(options.outputTopic(), Produced.with(windowKeys(), loads));
      case "c" -> sessions(input);
      default -> throw new IllegalArgumentException("no workload " + options.workload());
    }
    return builder.build(properties);
  }

  private Serde<Windowed<String>> windowKeys() {
    return WindowedSerdes.timeWindowedSerdeFrom(String.class, options.windowMs());
  }

  private KTable<Windowed<String>, StationLoad> minutes(KStream<String, ChargingEvent> input) {
    return input.groupByKey(Grouped.with(Serdes.String(), events))
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(options.windowMs()), Duration.ofMillis(options.graceMs())))
        .aggregate(() -> StationLoad.NOTHING, (station, event, load) -> load.with(event.getPowerW(), ""),
            Materialized.<String, StationLoad, WindowStore<Bytes, byte[]>>as("station-minute").withKeySerde(Serdes.String()).withValueSerde(loads));
  }

  private record Enriched(Double powerW, String city) {}

  /**
   * Sessions are kept in RocksDB, tuned or not: the store in memory sorts them by their end first, so that a look-up walks through those of all keys
   * that ended within the gap (InMemorySessionStore), and a record costs more the more stations there are. Tuned, without a record cache in front: a
   * session that grows moves to another key, and what it leaves behind in the cache is walked through by each look-up, while two events of a station
   * seldom fall into one commit.
   */
  private Materialized<String, StationLoad, SessionStore<Bytes, byte[]>> sessionStore() {
    Materialized<String, StationLoad, SessionStore<Bytes, byte[]>> store = Materialized.<String, StationLoad, SessionStore<Bytes, byte[]>>as("station-session")
        .withStoreType(BuiltInDslStoreSuppliers.ROCKS_DB).withKeySerde(Serdes.String()).withValueSerde(loads);
    return options.tuned() ? store.withCachingDisabled() : store;
  }

  private void sessions(KStream<String, ChargingEvent> input) {
    KTable<String, Station> table = builder.table(options.stationsTopic(), Consumed.with(Serdes.String(), stations));
    input.join(table, (event, station) -> new Enriched(event.getPowerW(), String.valueOf(station.getCity())), Joined.with(Serdes.String(), events, stations))
        .groupByKey()
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(options.gapMs()), Duration.ofMillis(options.graceMs())))
        .aggregate(() -> StationLoad.NOTHING, (station, enriched, load) -> load.with(enriched.powerW(), enriched.city()),
            (station, earlier, later) -> earlier.and(later),
            sessionStore())
        .toStream().to(options.outputTopic(), Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), loads));
  }
}
