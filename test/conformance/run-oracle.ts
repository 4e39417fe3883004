import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Oracle, verdictOn } from './oracle.ts';
import { ask, questions } from './random-cases.ts';

/**
 * `npm run conformance:oracle`: conformance on cases that nobody has seen, made at random from a seed, answered by Kafka Streams
 * itself, and run here as they are and with commits and restarts.
 */
const usage = `usage: npm run conformance:oracle -- [--seed N] [--cases N] [--family NAME ...] [--keep FOLDER]

  --seed N         which random cases (default: 1)
  --cases N        how many of each family (default: 200)
  --family NAME    only these: ${Object.keys(questions).join(', ')}
  --keep FOLDER    writes the answered cases there, as vectors

Needs a JDK of 17 or newer and Maven.`;

function run(): boolean {
  const { values } = parseArgs({ options: {
    seed: { type: 'string', default: '1' }, cases: { type: 'string', default: '200' }, family: { type: 'string', multiple: true },
    keep: { type: 'string' }, help: { type: 'boolean', default: false },
  } });
  if (values.help) {
    console.log(usage);
    return true;
  }
  const [seed, cases] = [Number(values.seed), Number(values.cases)];
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(cases) || cases < 1) throw new Error(`--seed and --cases want whole numbers\n${usage}`);
  const oracle = new Oracle();
  let passedAll = true;
  for (const family of values.family ?? Object.keys(questions)) {
    const answered = oracle.answer(ask(family, seed, cases));
    if (values.keep !== undefined) {
      mkdirSync(values.keep, { recursive: true });
      writeFileSync(join(values.keep, `${family}.json`), JSON.stringify(answered));
    }
    const failed = answered.flatMap((one, index) => {
      const verdict = verdictOn(one, seed + index);
      return verdict.kind === 'passed' ? [] : [`  ${one.id}: ${verdict.kind === 'failed' ? verdict.why : 'not built'}`];
    });
    console.log(`${family.padEnd(20)} ${answered.length - failed.length}/${answered.length}`);
    for (const line of failed.slice(0, 5)) console.log(line);
    if (failed.length > 0) passedAll = false;
  }
  return passedAll;
}

try {
  if (!run()) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
