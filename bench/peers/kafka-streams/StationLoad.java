import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** What a station did in a span of time. As bytes: count (int64), energy and peak (float64), big endian, then the city in UTF-8. */
record StationLoad(long count, double energyWh, double peakW, String city) {
  /** What a meter value stands for: the power since the one before it. */
  private static final double SAMPLE_HOURS = 10.0 / 3600.0;

  static final StationLoad NOTHING = new StationLoad(0, 0, 0, "");

  StationLoad with(Double powerW, String itsCity) {
    double power = powerW == null ? 0 : powerW;
    return new StationLoad(count + 1, energyWh + power * SAMPLE_HOURS, Math.max(peakW, power), itsCity);
  }

  StationLoad and(StationLoad later) {
    return new StationLoad(count + later.count, energyWh + later.energyWh, Math.max(peakW, later.peakW), later.city.isEmpty() ? city : later.city);
  }

  static Serde<StationLoad> serde() {
    return Serdes.serdeFrom(
        (topic, load) -> {
          if (load == null) return null;
          byte[] city = load.city.getBytes(StandardCharsets.UTF_8);
          return ByteBuffer.allocate(24 + city.length).putLong(load.count).putDouble(load.energyWh).putDouble(load.peakW).put(city).array();
        },
        (topic, bytes) -> {
          if (bytes == null) return null;
          ByteBuffer buffer = ByteBuffer.wrap(bytes);
          long count = buffer.getLong();
          double energyWh = buffer.getDouble();
          double peakW = buffer.getDouble();
          return new StationLoad(count, energyWh, peakW, new String(bytes, 24, bytes.length - 24, StandardCharsets.UTF_8));
        });
  }
}
