import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient, ClickHouseClientConfigOptions } from '@clickhouse/client';
import { Session } from 'chdb';
import { createChdbConnection } from 'chdb/connection';
import { assertInvariant } from '../../../errors.ts';
import { piecesOf } from '../../delivery/pieces.ts';
import type { ChdbReply, ChdbRequest, ChdbWorkerData } from './chdb-messages.ts';
import { controlActive, controlStop } from './chdb-messages.ts';
import { ChdbStreams } from './chdb-streams.ts';
import { queryText, runCommand } from './client-statements.ts';
import { quoteText } from './statements.ts';
import { warehouseFailure } from './warehouse-error.ts';

/**
 * The thread in which chDB lives. One connection serves one statement at a time, so there is a lane for inserts and a few
 * for queries: a long query does not hold up the delivery, and no more than that many threads of Node's pool are taken.
 */
const { folder, spoolFolder, configFile, queryLanes, control } = workerData as ChdbWorkerData;
assertInvariant(parentPort !== null, 'chdb-worker runs as a worker thread');
const port = parentPort;

/** Counts a statement while it is in the engine: the main thread must not end the process under it. */
async function guarded<T>(task: () => Promise<T>): Promise<T> {
  const leave = enter();
  try {
    if (Atomics.load(control, controlStop) === 1) throw new Error('the process ends');
    return await task();
  } finally {
    leave();
  }
}

function enter(): () => void {
  Atomics.add(control, controlActive, 1);
  return () => {
    Atomics.sub(control, controlActive, 1);
    Atomics.notify(control, controlActive);
  };
}

type ClientConnection = NonNullable<ClickHouseClientConfigOptions['connection']>;

/** Statements of one connection, in the order in which they came. */
class Lane {
  readonly client: ClickHouseClient;
  waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    // Both packages declare this interface of client-common, in copies of their own that differ by a private field only.
    const connection = createChdbConnection({ path: folder }) as unknown as ClientConnection;
    this.client = createClient({ connection, log: { level: ClickHouseLogLevel.OFF } });
  }

  run(task: () => Promise<string>): Promise<string> {
    this.waiting++;
    const result = this.#last.then(() => guarded(task)).finally(() => this.waiting--);
    this.#last = result.catch(() => '');
    return result;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.client.close();
  }
}

/**
 * Rows go into a file that the engine reads as one block by one thread: a payload inside the statement would be cut at its
 * first blank line, and its rest would run as SQL. The file is gone afterwards, whatever happened.
 */
async function insert(client: ClickHouseClient, request: Extract<ChdbRequest, { kind: 'insert' }>): Promise<string> {
  const file = join(spoolFolder, `${request.id}.rows`);
  try {
    writeFileSync(file, request.bytes);
    namedPoint('after-spool');
    await runCommand(client, `${request.into} SELECT * FROM file(${quoteText(file)}, 'RowBinary', ${quoteText(request.structure)})`);
    namedPoint('after-insert');
    return '';
  } finally {
    rmSync(file, { force: true });
  }
}

/** Lets the crash tests kill the process exactly here: when a file of that name is armed. Costs nothing otherwise. */
const pointsFolder = process.env['VOLTSTREAM_TEST_CRASH_POINTS'];
function namedPoint(point: string): void {
  if (pointsFolder !== undefined && existsSync(join(pointsFolder, point))) {
    rmSync(join(pointsFolder, point));
    process.kill(process.pid, 'SIGKILL');
  }
}

interface Engine {
  readonly session: Session;
  readonly inserts: Lane;
  readonly queries: readonly Lane[];
  readonly streams: ChdbStreams;
}

function open(): Engine | null {
  try {
    // The first connection decides the engine's configuration, and holds the folder until the end.
    const session = new Session(folder, { connectionArgs: [`--config-file=${configFile}`] });
    const queries = Array.from({ length: queryLanes }, () => new Lane());
    return { session, inserts: new Lane(), queries, streams: new ChdbStreams({ folder, spoolFolder, enter }) };
  } catch (error) {
    port.postMessage({ kind: 'opened', failure: warehouseFailure(error) } satisfies ChdbReply);
    return null;
  }
}

/** Of an answer what is not text. */
type Answer = Pick<Extract<ChdbReply, { kind: 'done' }>, 'piece' | 'pieces'>;

const engine = open();
if (engine !== null) {
  const { session, inserts, queries, streams } = engine;
  const serve = async (request: ChdbRequest): Promise<string | Answer> => {
    switch (request.kind) {
      case 'seal':
        return { pieces: piecesOf(request.request) };
      case 'insert':
        return inserts.run(() => insert(inserts.client, request));
      case 'stream':
        await streams.open(request.id, request.sql, request.format);
        return '';
      case 'next':
        return { piece: await streams.next(request.stream) };
      case 'end-stream':
        await streams.close(request.stream);
        return '';
      case 'close':
        await Promise.all([streams.closeAll(), ...[inserts, ...queries].map((lane) => lane.close())]);
        session.close();
        return '';
      default: {
        const lane = queries.reduce((best, other) => (other.waiting < best.waiting ? other : best));
        return lane.run(async () => {
          if (request.kind === 'query') return queryText(lane.client, request.sql, request.format);
          await runCommand(lane.client, request.sql);
          return '';
        });
      }
    }
  };
  port.on('message', (request: ChdbRequest) => {
    serve(request).then(
      (answer) => {
        const { id } = request;
        const reply: ChdbReply = typeof answer === 'string' ? { kind: 'done', id, text: answer } : { kind: 'done', id, text: '', ...answer };
        port.postMessage(reply, reply.pieces?.map((piece) => piece.bytes.buffer as ArrayBuffer) ?? []);
        if (request.kind === 'close') port.close();
      },
      (error: unknown) => port.postMessage({ kind: 'failed', id: request.id, failure: warehouseFailure(error) } satisfies ChdbReply),
    );
  });
  // The main thread waits for what is in the engine, and answers that are half taken would stay there.
  const stopped = Atomics.waitAsync(control, controlStop, 0);
  if (stopped.async) void stopped.value.then(() => streams.closeAll());
  port.postMessage({ kind: 'opened', failure: null } satisfies ChdbReply);
}
