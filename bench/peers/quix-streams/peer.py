"""One run of workload (a) in Quix Streams: says the same on standard output as ../voltstream-process.ts and ../kafka-streams/Peer.java."""
import io
import json
import struct
import sys
import time
import urllib.request

from fastavro import parse_schema, schemaless_reader
from quixstreams import Application
from quixstreams.models.serializers import Deserializer, Serializer

OPTIONS = json.loads(sys.argv[1])
WINDOW_MS, GRACE_MS, EVENTS = OPTIONS["windowMs"], OPTIONS["graceMs"], OPTIONS["events"]
# What a meter value stands for: the power since the one before it.
SAMPLE_HOURS = 10.0 / 3600.0
HEAD = struct.Struct(">qdd")
TIME = struct.Struct(">q")


def tell(kind):
    print(json.dumps({"kind": kind, "atMs": int(time.time() * 1000)}), flush=True)


class RegisteredAvro(Deserializer):
    """Avro behind a zero and the id of the writer's schema; each schema is asked of the registry once. fastavro, as Quix Streams' own deserialiser."""

    def __init__(self):
        super().__init__()
        self.schemas = {}

    def __call__(self, value, ctx):
        if not self.schemas:
            tell("first")
        schema_id = int.from_bytes(value[1:5], "big")
        schema = self.schemas.get(schema_id)
        if schema is None:
            with urllib.request.urlopen(f"{OPTIONS['registryUrl']}/schemas/ids/{schema_id}") as answer:
                schema = self.schemas[schema_id] = parse_schema(json.loads(json.load(answer)["schema"]))
        return schemaless_reader(io.BytesIO(memoryview(value)[5:]), schema, None)


def nothing_with(event):
    return with_power([0, 0.0, 0.0], event)


# The very operations, in the very order, of the other sides: sums must be equal to the last bit.
def with_power(load, event):
    power = event["powerW"] or 0
    return [load[0] + 1, load[1] + power * SAMPLE_HOURS, max(load[2], power)]


class LoadOf(Serializer):
    """Of a pair of key and load the load: count (int64), energy and peak (float64), big endian."""

    def __call__(self, value, ctx):
        return HEAD.pack(*value[1])


def main():
    processed = 0

    def count(_topic, _partition, _offset):
        nonlocal processed
        processed += 1
        if processed == EVENTS:
            application.stop()

    application = Application(
        broker_address=OPTIONS["brokers"], consumer_group=OPTIONS["applicationId"], auto_offset_reset="earliest", processing_guarantee="exactly-once",
        commit_interval=OPTIONS["commitMs"] / 1000, state_dir=OPTIONS["folder"], loglevel="ERROR", on_message_processed=count,
    )
    events = application.topic(OPTIONS["eventsTopic"], key_deserializer="str", value_deserializer=RegisteredAvro())
    output = application.topic(OPTIONS["outputTopic"], key_serializer="bytes", value_serializer=LoadOf())
    (
        application.dataframe(events)
        # Late for the partition, not for the key: as on the other sides.
        .tumbling_window(WINDOW_MS, grace_ms=GRACE_MS, name="station-minute", on_late=lambda *_: False)
        .reduce(reducer=with_power, initializer=nothing_with)
        .current(closing_strategy="partition")
        .apply(lambda result, key, _timestamp, _headers: (key.encode() + TIME.pack(result["start"]), result["value"]), metadata=True)
        .to_topic(output, key=lambda pair: pair[0])
    )
    # Ends behind the commit that holds the last event.
    application.run()
    tell("done")
    time.sleep(1e9)


main()
