import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Writer } from '@platformatic/kafka';

/** Kinds of requests by Kafka's number; the versions are those that the adapter speaks. */
export const requests = {
  produce: 0, fetch: 1, listOffsets: 2, metadata: 3, offsetCommit: 8, findCoordinator: 10, initProducerId: 22, addPartitionsToTransaction: 24,
} as const;

/** The body of an answer; null: there is none, ever. */
type Answer = () => Writer | null;

/** A broker that says what a test tells it to, so that what real ones do once in a blue moon happens at each run. */
export class ScriptedBroker {
  readonly #answers = new Map<number, Answer>();
  readonly #asked: number[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => this.#serve(socket));

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** How often this was asked. */
  asked(kind: number): number {
    return this.#asked.filter((one) => one === kind).length;
  }

  on(kind: number, answer: Answer): this {
    this.#answers.set(kind, answer);
    return this;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let waiting: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      waiting = Buffer.concat([waiting, Buffer.from(chunk)]);
      while (waiting.length >= 4 && waiting.length >= waiting.readInt32BE(0) + 4) {
        const size = waiting.readInt32BE(0) + 4;
        this.#answer(socket, waiting.readInt16BE(4), waiting.readInt32BE(8));
        waiting = waiting.subarray(size);
      }
    });
  }

  #answer(socket: Socket, kind: number, correlationId: number): void {
    this.#asked.push(kind);
    const answer = this.#answers.get(kind);
    if (answer === undefined) throw new Error(`the script has no answer to request ${kind}`);
    const body = answer();
    if (body === null) return;
    socket.write(Writer.create().appendInt32(correlationId).appendTaggedFields().appendFrom(body).prependLength().buffer);
  }
}

export interface ScriptedTopic {
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** Node by partition; -1: nobody leads. */
  readonly leaders: readonly number[];
}

export function metadataAnswer(brokers: ReadonlyMap<number, ScriptedBroker>, topics: readonly ScriptedTopic[]): Writer {
  return Writer.create()
    .appendInt32(0)
    .appendArray([...brokers], (writer, [node, { port }]) => void writer.appendInt32(node).appendString('127.0.0.1').appendInt32(port).appendString(null))
    .appendString('scripted')
    .appendInt32(brokers.keys().next().value ?? -1)
    .appendArray([...topics], (writer, { name, id, leaders }) => {
      writer.appendInt16(0).appendString(name).appendUUID(id).appendBoolean(false).appendArray([...leaders.entries()], (inner, [partition, node]) => {
        inner.appendInt16(node < 0 ? 5 : 0).appendInt32(partition).appendInt32(node).appendInt32(7)
          .appendArray([node], (list, one) => void list.appendInt32(one), true, false)
          .appendArray([node], (list, one) => void list.appendInt32(one), true, false)
          .appendArray([] as number[], (list, one) => void list.appendInt32(one), true, false);
      });
      writer.appendInt32(0);
    })
    .appendTaggedFields();
}

export interface ScriptedFetch {
  readonly partition: number;
  readonly error?: number;
  readonly records?: Buffer;
  readonly end?: number;
  /** The log was cut: epoch and end of what is left of it. */
  readonly diverging?: { readonly epoch: number; readonly end: number };
}

export function fetchAnswer(topicId: string, partitions: readonly ScriptedFetch[]): Writer {
  return Writer.create()
    .appendInt32(0)
    .appendInt16(0)
    .appendInt32(0)
    .appendArray([topicId], (writer, id) => {
      writer.appendUUID(id).appendArray([...partitions], (inner, { partition, error = 0, records, end = 0, diverging }) => {
        inner.appendInt32(partition).appendInt16(error).appendInt64(BigInt(end)).appendInt64(BigInt(end)).appendInt64(0n)
          .appendArray([] as number[], () => undefined)
          .appendInt32(-1);
        if (records === undefined) inner.appendUnsignedVarInt(1);
        else inner.appendUnsignedVarInt(records.length + 1).append(records);
        // Tag 0: epoch, end, and no tags of its own.
        if (diverging === undefined) inner.appendUnsignedVarInt(0);
        else inner.appendUnsignedVarInt(1).appendUnsignedVarInt(0).appendUnsignedVarInt(13).appendInt32(diverging.epoch).appendInt64(BigInt(diverging.end)).appendUnsignedVarInt(0);
      }, true, false);
    })
    .appendTaggedFields();
}

/** ListOffsets: the same offset for start and end. */
export function offsetAnswer(topic: string, partition: number, error: number, offset: number): Writer {
  return Writer.create()
    .appendInt32(0)
    .appendArray([topic], (writer, name) => {
      writer.appendString(name).appendArray([partition], (inner, one) => void inner.appendInt32(one).appendInt16(error).appendInt64(-1n).appendInt64(BigInt(offset)).appendInt32(7));
    })
    .appendTaggedFields();
}

export function coordinatorAnswer(broker: ScriptedBroker): Writer {
  return Writer.create()
    .appendInt32(0)
    .appendArray(['key'], (writer, key) => void writer.appendString(key).appendInt32(1).appendString('127.0.0.1').appendInt32(broker.port).appendInt16(0).appendString(null))
    .appendTaggedFields();
}

export function producerIdAnswer(): Writer {
  return Writer.create().appendInt32(0).appendInt16(0).appendInt64(99n).appendInt16(0).appendTaggedFields();
}

/** AddPartitionsToTxn and Produce: what becomes of each partition of a topic. */
export function partitionErrorsAnswer(topic: string, errors: readonly number[]): Writer {
  return Writer.create()
    .appendInt32(0)
    .appendArray([topic], (writer, name) => {
      writer.appendString(name).appendArray([...errors.entries()], (inner, [partition, error]) => void inner.appendInt32(partition).appendInt16(error));
    })
    .appendTaggedFields();
}
