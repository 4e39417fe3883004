import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Avro behind a zero and the id of the writer's schema, as Confluent's serialisers frame it (those are not on Maven Central). Generated classes,
 * one decoder for all records, schemas by id asked of the registry once. What is written, for a table's store, is what was read.
 */
final class RegisteredAvroSerde<T extends SpecificRecordBase> implements Serde<T> {
  private static final byte MAGIC = 0;
  private static final int HEAD_BYTES = 5;

  private final String registryUrl;
  private final Schema readerSchema;
  private final Map<Integer, SpecificDatumReader<T>> readers = new HashMap<>();
  private final SpecificDatumWriter<T> writer;
  private BinaryDecoder decoder;
  private BinaryEncoder encoder;
  private int writerId;
  private SpecificDatumReader<T> lastReader;
  private int lastId = -1;

  RegisteredAvroSerde(String registryUrl, Schema readerSchema) {
    this.registryUrl = registryUrl;
    this.readerSchema = readerSchema;
    this.writer = new SpecificDatumWriter<>(readerSchema);
  }

  @Override
  public Deserializer<T> deserializer() {
    return (topic, bytes) -> {
      if (bytes == null) return null;
      if (bytes.length < HEAD_BYTES || bytes[0] != MAGIC) throw new SerializationException("not framed by a registry: " + topic);
      int id = ByteBuffer.wrap(bytes, 1, 4).getInt();
      if (id != lastId) {
        lastReader = readers.computeIfAbsent(id, this::readerOf);
        lastId = id;
      }
      try {
        decoder = DecoderFactory.get().binaryDecoder(bytes, HEAD_BYTES, bytes.length - HEAD_BYTES, decoder);
        return lastReader.read(null, decoder);
      } catch (IOException error) {
        throw new SerializationException("Avro of schema " + id + " in " + topic, error);
      }
    };
  }

  @Override
  public Serializer<T> serializer() {
    return (topic, value) -> {
      if (value == null) return null;
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
      bytes.write(MAGIC);
      bytes.writeBytes(ByteBuffer.allocate(4).putInt(writerId).array());
      try {
        encoder = EncoderFactory.get().directBinaryEncoder(bytes, encoder);
        writer.write(value, encoder);
        encoder.flush();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
      return bytes.toByteArray();
    };
  }

  private SpecificDatumReader<T> readerOf(int id) {
    HttpRequest request = HttpRequest.newBuilder(URI.create(registryUrl + "/schemas/ids/" + id)).build();
    try {
      HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() != 200) throw new SerializationException("schema " + id + ": the registry answers " + response.statusCode());
      writerId = id;
      return new SpecificDatumReader<>(new Schema.Parser().parse(new ObjectMapper().readTree(response.body()).get("schema").asText()), readerSchema);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
      throw new SerializationException("interrupted while the registry was asked for schema " + id, error);
    }
  }
}
