import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import voltstream.ChargingEvent;

/**
 * One run of a workload in Kafka Streams: says on standard output, a JSON object a line, when the first event has been read and when the last one
 * has been processed and committed; then waits to be ended.
 */
public final class Peer {
  private Peer() {}

  public static void main(String[] arguments) throws Exception {
    PeerOptions options = new ObjectMapper().readValue(arguments[0], PeerOptions.class);
    AtomicLong firstMs = new AtomicLong();
    Serde<ChargingEvent> registered = new RegisteredAvroSerde<>(options.registryUrl(), ChargingEvent.getClassSchema());
    Properties properties = properties(options);
    KafkaStreams streams = new KafkaStreams(new Workloads(options, noticing(registered, firstMs)).build(properties), properties);
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      System.exit(1);
      return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
    boolean told = false;
    while (committed(streams, options.eventsTopic()) < options.events()) {
      if (!told && firstMs.get() != 0) {
        told = true;
        tell("first", firstMs.get());
      }
      Thread.sleep(5);
    }
    if (!told) tell("first", firstMs.get());
    tell("done", System.currentTimeMillis());
    Thread.sleep(Long.MAX_VALUE);
  }

  private static void tell(String kind, long atMs) {
    System.out.println("{\"kind\":\"" + kind + "\",\"atMs\":" + atMs + "}");
  }

  /** How many events lie in front of the committed positions: offsets begin at 0, and nobody wrote transactions into the input. */
  private static long committed(KafkaStreams streams, String topic) {
    return streams.metadataForLocalThreads().stream().flatMap(thread -> thread.activeTasks().stream())
        .flatMap(task -> task.committedOffsets().entrySet().stream())
        .filter(offset -> offset.getKey().topic().equals(topic)).mapToLong(offset -> Math.max(0, offset.getValue())).sum();
  }

  /** Remembers when the first event was read; costs a comparison afterwards. */
  private static Serde<ChargingEvent> noticing(Serde<ChargingEvent> registered, AtomicLong firstMs) {
    Deserializer<ChargingEvent> inner = registered.deserializer();
    return Serdes.serdeFrom(registered.serializer(), new Deserializer<>() {
      private boolean isFirst = true;

      @Override
      public ChargingEvent deserialize(String topic, byte[] bytes) {
        if (isFirst) {
          isFirst = false;
          firstMs.compareAndSet(0, System.currentTimeMillis());
        }
        return inner.deserialize(topic, bytes);
      }
    });
  }

  /** Defaults, as documented for 4.2, but for what is named; tuned: what its tuning guides name for throughput. */
  private static Properties properties(PeerOptions options) {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, options.applicationId());
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.brokers());
    properties.put(StreamsConfig.STATE_DIR_CONFIG, options.folder());
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, options.commitMs());
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    if (!options.tuned()) return properties;
    properties.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
    properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 256L * 1024 * 1024);
    properties.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 20_000);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 8 * 1024 * 1024);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.RECEIVE_BUFFER_CONFIG), 4 * 1024 * 1024);
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 512 * 1024);
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L * 1024 * 1024);
    return properties;
  }
}
