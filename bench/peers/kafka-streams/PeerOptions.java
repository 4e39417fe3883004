import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

/** What the runner says, as JSON: the first argument. */
@JsonIgnoreProperties(ignoreUnknown = true)
record PeerOptions(
    String applicationId, String brokers, String registryUrl, String workload, String eventsTopic, String stationsTopic, String outputTopic,
    String folder, long events, long windowMs, long graceMs, long gapMs, long commitMs, boolean tuned) {}
