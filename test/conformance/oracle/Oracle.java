import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Asks Kafka Streams what it emits: reads a file of cases (inputs and parameters), runs each on its own TopologyTestDriver with
 * caching off, and writes the file again with `outputs` and `dropped` filled in.
 *
 * Usage: java Oracle IN.json OUT.json
 */
public final class Oracle {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    ArrayNode cases = (ArrayNode) JSON.readTree(new File(arguments[0]));
    for (JsonNode one : cases) answer((ObjectNode) one);
    JSON.writeValue(new File(arguments[1]), cases);
  }

  private static void answer(ObjectNode one) {
    StreamsBuilder builder = new StreamsBuilder();
    List<String> outputs = Cases.build(builder, one);
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "oracle");
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:9092");
    properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, "org.apache.kafka.common.serialization.Serdes$StringSerde");
    properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, "org.apache.kafka.common.serialization.Serdes$StringSerde");
    properties.put(StreamsConfig.STATE_DIR_CONFIG, System.getProperty("java.io.tmpdir") + "/oracle-" + ProcessHandle.current().pid());
    // Unmatched records of outer joins are looked for at every record, not once a second of wall-clock time.
    properties.put("__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", 0L);
    try (TopologyTestDriver driver = new TopologyTestDriver(builder.build(), properties)) {
      List<TestOutputTopic<String, String>> topics = new ArrayList<>();
      for (String topic : outputs) topics.add(driver.createOutputTopic(topic, new StringDeserializer(), new StringDeserializer()));
      ArrayNode found = one.putArray("outputs");
      int after = 0;
      for (JsonNode input : one.get("inputs")) {
        TestInputTopic<String, String> topic = driver.createInputTopic(input.get("topic").asText(), new StringSerializer(), new StringSerializer());
        topic.pipeInput(text(input.get("key")), text(input.get("value")), input.get("ts").asLong());
        for (int at = 0; at < outputs.size(); at++) {
          for (TestRecord<String, String> record : topics.get(at).readRecordsToList()) {
            add(found, after, outputs.size() > 1 ? outputs.get(at) : null, record);
          }
        }
        after++;
      }
      one.put("dropped", Math.round(driver.metrics().entrySet().stream()
          .filter(metric -> metric.getKey().name().equals("dropped-records-total"))
          .mapToDouble(metric -> (Double) metric.getValue().metricValue()).sum()));
    }
  }

  private static void add(ArrayNode found, int after, String topic, TestRecord<String, String> record) {
    ObjectNode output = found.addObject();
    output.put("after", after);
    if (topic != null) output.put("topic", topic);
    String[] key = record.key() == null ? new String[] {null} : record.key().split(Cases.WINDOW);
    output.put("key", key[0]);
    if (key.length > 1) output.putArray("window").add(Long.parseLong(key[1])).add(Long.parseLong(key[2]));
    output.put("value", record.value());
    output.put("ts", record.timestamp());
  }

  static String text(JsonNode node) {
    return node == null || node.isNull() ? null : node.asText();
  }
}
