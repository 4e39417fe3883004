/**
 * One benchmark in this process, as JSON on standard output: node measure.ts NAME KEYS ROUNDS COMMIT_EVERY
 *
 * What is timed is the steps (and, apart, `takeChanges`), never the making of the records: those are made 20,000 at a time, in
 * between. Keys are new strings each time, as decoded ones are. The time is processor time of all threads of the process,
 * collectors and compilers included, so that it says the same on a machine that is busy with other things.
 */
import { setFlagsFromString, getHeapStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { benchmarks } from './catalogue.ts';
import { BenchPipeline, type AnyRecord } from './pipeline.ts';

export interface Measured {
  readonly name: string;
  readonly keys: number;
  /** Records per second of processor time in each round: the steps alone, and with what a commit takes. */
  readonly steps: readonly number[];
  readonly withCommits: readonly number[];
  /** Bytes allocated on the heap by the steps for a record, and by the commits. */
  readonly bytesPerRecord: number;
  readonly commitBytesPerRecord: number;
  /** Bytes of the heap after all rounds, over what it held before the first record, for each key. */
  readonly heldBytesPerKey: number;
  readonly outPerRecord: number;
}

const CHUNK_RECORDS = 20_000;
/** So many records in a round at least: it takes some 0.1 s with the fastest steps. */
const ROUND_RECORDS_MIN = 600_000;
/** Above this many keys a round of one minute of event time would take too long: keys send three times less often. */
const MANY_KEYS = 200_000;

const [name, keysText, roundsText, commitEveryText] = process.argv.slice(2);
const benchmark = benchmarks.find((candidate) => candidate.name === name);
if (benchmark === undefined) throw new Error(`no benchmark is called ${name}`);
const keys = Number(keysText);
const rounds = Number(roundsText);
const commitEvery = Number(commitEveryText);
/** Each key sends every 10 seconds of event time; a round is a minute of it or more, so that each window closes in it. */
const everyMs = keys > MANY_KEYS ? 30_000 : 10_000;
const roundRecords = Math.max(ROUND_RECORDS_MIN, keys * (60_000 / everyMs)) * benchmark.topics.length;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const pipeline = new BenchPipeline(benchmark.topology().build());
const inputs = benchmark.topics.map((topic) => pipeline.inputOf(topic));
collect();
const heldBefore = getHeapStatistics().used_heap_size;
for (const topic of benchmark.filled ?? []) {
  const fill = pipeline.inputOf(topic);
  for (let key = 0; key < keys; key += 1) fill({ key: keyOf(key), value: valueOf(topic, key), timestampMs: 0 });
}
pipeline.takeChanges();

interface Costs {
  records: number;
  stepMs: number;
  commitMs: number;
  stepBytes: number;
  commitBytes: number;
}

let at = 0;
let sinceCommit = 0;
// One round more than counted: it touches every key, and warms up.
const warmUp = round();
const outBefore = pipeline.recordsOut;
const counted = Array.from({ length: rounds }, round);
const records = counted.reduce((sum, costs) => sum + costs.records, 0);
const outPerRecord = (pipeline.recordsOut - outBefore) / records;
collect();
const measured: Measured = {
  name: benchmark.name,
  keys,
  steps: counted.map((costs) => costs.records / costs.stepMs * 1_000),
  withCommits: counted.map((costs) => costs.records / (costs.stepMs + costs.commitMs) * 1_000),
  bytesPerRecord: counted.reduce((sum, costs) => sum + costs.stepBytes, 0) / records,
  commitBytesPerRecord: counted.reduce((sum, costs) => sum + costs.commitBytes, 0) / records,
  heldBytesPerKey: (getHeapStatistics().used_heap_size - heldBefore) / keys,
  outPerRecord,
};
if (warmUp.records > 0) process.stdout.write(`${JSON.stringify(measured)}\n`);

function round(): Costs {
  const costs: Costs = { records: 0, stepMs: 0, commitMs: 0, stepBytes: 0, commitBytes: 0 };
  while (costs.records < roundRecords) {
    const chunk = makeChunk(Math.min(CHUNK_RECORDS, roundRecords - costs.records));
    const bytesBefore = allocated();
    const startMs = processorMs();
    push(chunk);
    costs.stepMs += processorMs() - startMs;
    costs.stepBytes += allocated() - bytesBefore;
    costs.records += chunk.length;
    sinceCommit += chunk.length;
    if (sinceCommit >= commitEvery) commit(costs);
  }
  return costs;
}

function commit(costs: Costs): void {
  const bytesBefore = allocated();
  const startMs = processorMs();
  pipeline.takeChanges();
  costs.commitMs += processorMs() - startMs;
  costs.commitBytes += allocated() - bytesBefore;
  sinceCommit = 0;
}

/** By turns into the topics. */
function push(chunk: readonly AnyRecord[]): void {
  const [only] = inputs;
  if (inputs.length === 1 && only !== undefined) {
    for (let index = 0; index < chunk.length; index += 1) only(chunk[index] as AnyRecord);
    return;
  }
  for (let index = 0; index < chunk.length; index += 1) (inputs[index % inputs.length] as (record: AnyRecord) => void)(chunk[index] as AnyRecord);
}

/** Every topic gets every key, in an order that jumps about, before the next turn begins. */
function makeChunk(length: number): AnyRecord[] {
  const chunk: AnyRecord[] = [];
  const topics = inputs.length;
  for (let index = 0; index < length; index += 1, at += 1) {
    const turn = Math.floor(at / topics);
    const topic = benchmark?.topics[index % topics] as string;
    chunk.push({ key: keyOf((turn * 7_919) % keys), value: valueOf(topic, at), timestampMs: Math.floor((turn * everyMs) / keys) });
  }
  return chunk;
}

function keyOf(number: number): string {
  return Buffer.from(`station-${String(number).padStart(7, '0')}`).toString('utf8');
}

function valueOf(topic: string, number: number): unknown {
  if (topic.startsWith('sites')) return { name: Buffer.from(`site-${number % 1_000}`).toString(), powerW: number % 350_000 };
  return { id: Buffer.from(`e${number}`).toString(), deltaWh: number % 50 };
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** All that was ever allocated on the heap, whether it has been collected or not. */
function allocated(): number {
  return getHeapStatistics().total_allocated_bytes;
}
