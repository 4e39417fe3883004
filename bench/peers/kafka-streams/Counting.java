import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TaskMetadata;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/**
 * One of two processes that count records by key, for `../failover.ts`: says on standard output which tasks it has, how far they have come, and when
 * each task has processed its first record. No standby replicas, as by default: what a process had is restored from the changelog.
 */
public final class Counting {
  private Counting() {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  record Options(String applicationId, String brokers, String folder, String topic, int sessionMs, int commitMs) {}

  public static void main(String[] arguments) throws Exception {
    Options options = new ObjectMapper().readValue(arguments[0], Options.class);
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(options.topic(), Consumed.with(Serdes.String(), Serdes.String()))
        .processValues(Counting::noticing)
        .groupByKey(Grouped.with(Serdes.String(), Serdes.String()))
        .count(Materialized.as("by-key"));
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, options.applicationId());
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.brokers());
    properties.put(StreamsConfig.STATE_DIR_CONFIG, options.folder());
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, options.commitMs());
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), options.sessionMs());
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), options.sessionMs() / 10);
    KafkaStreams streams = new KafkaStreams(builder.build(properties), properties);
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      System.exit(1);
      return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    });
    streams.start();
    ObjectMapper mapper = new ObjectMapper();
    while (true) {
      Thread.sleep(200);
      Map<String, Long> tasks = streams.metadataForLocalThreads().stream().flatMap(thread -> thread.activeTasks().stream())
          .collect(Collectors.toMap(task -> task.taskId().toString(), Counting::committed));
      System.out.println(mapper.writeValueAsString(Map.of(
          "kind", "tasks", "tasks", tasks.keySet(), "processed", tasks.values().stream().mapToLong(Long::longValue).sum())));
    }
  }

  private static long committed(TaskMetadata task) {
    return task.committedOffsets().values().stream().mapToLong(offset -> Math.max(0, offset)).sum();
  }

  private static FixedKeyProcessor<String, String, String> noticing() {
    return new ContextualFixedKeyProcessor<>() {
      private boolean isFirst = true;

      @Override
      public void process(FixedKeyRecord<String, String> record) {
        if (isFirst) {
          isFirst = false;
          System.out.println("{\"kind\":\"first record\",\"task\":\"" + context().taskId() + "\",\"atMs\":" + System.currentTimeMillis() + "}");
        }
        context().forward(record);
      }
    };
  }
}
