/** The messages that members of a consumer group give each other through the broker, as Kafka's own tools read them. */
const version = 1;

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** What a member subscribes to, and a text of its own for whoever assigns. */
export function encodeSubscription(topics: readonly string[], userData: string): Buffer {
  const data = Buffer.from(userData);
  return Buffer.concat([int16(version), int32(topics.length), ...topics.map(string), int32(data.length), data, int32(0)]);
}

/** The member's own text. */
export function decodeUserData(subscription: Buffer): string {
  let at = 6;
  for (let count = subscription.readInt32BE(2); count > 0; count--) at += 2 + subscription.readInt16BE(at);
  const length = subscription.readInt32BE(at);
  return length < 0 ? '' : subscription.toString('utf8', at + 4, at + 4 + length);
}

export interface GroupAssignment {
  /** By topic. */
  readonly partitions: ReadonlyMap<string, readonly number[]>;
  /** A text of whoever assigned. */
  readonly userData: string;
}

export function encodeAssignment({ partitions, userData }: GroupAssignment): Buffer {
  const topics = [...partitions].map(([topic, numbers]) => Buffer.concat([string(topic), int32(numbers.length), ...numbers.map(int32)]));
  const data = Buffer.from(userData);
  return Buffer.concat([int16(version), int32(topics.length), ...topics, int32(data.length), data]);
}

/** Empty for a member that got nothing: brokers then give no bytes at all. */
export function decodeAssignment(bytes: Buffer): GroupAssignment {
  const assignment = new Map<string, number[]>();
  if (bytes.length === 0) return { partitions: assignment, userData: '' };
  let at = 6;
  for (let topics = bytes.readInt32BE(2); topics > 0; topics--) {
    const length = bytes.readInt16BE(at);
    const topic = bytes.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length;
    const partitions: number[] = [];
    const count = bytes.readInt32BE(at);
    at += 4;
    for (let index = 0; index < count; index++, at += 4) partitions.push(bytes.readInt32BE(at));
    assignment.set(topic, partitions);
  }
  const length = bytes.readInt32BE(at);
  return { partitions: assignment, userData: length < 0 ? '' : bytes.toString('utf8', at + 4, at + 4 + length) };
}
