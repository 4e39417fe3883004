import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Arguments: broker, number of records, compression:topic... Large batches, as a producer in production has them. */
public class CompressedProducer {
  public static void main(String[] arguments) {
    for (int index = 2; index < arguments.length; index++) {
      String[] target = arguments[index].split(":");
      send(arguments[0], Integer.parseInt(arguments[1]), target[0], target[1]);
    }
  }

  private static void send(String broker, int count, String compression, String topic) {
    Map<String, Object> settings = Map.of("bootstrap.servers", broker, "compression.type", compression, "linger.ms", 50, "batch.size", 400_000);
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      for (int index = 0; index < count; index++) {
        ProducerRecord<String, String> record = new ProducerRecord<>(topic, "key-" + index, ("value-" + index).repeat(10));
        record.headers().add("index", String.valueOf(index).getBytes(StandardCharsets.UTF_8));
        producer.send(record);
      }
    }
  }
}
