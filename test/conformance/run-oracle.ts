import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { oneOf, script, whole } from '../script-options.ts';
import { Oracle, verdictOn } from './oracle.ts';
import { ask, questions } from './random-cases.ts';

const families = Object.keys(questions);

/**
 * `npm run conformance:oracle`: conformance on cases that nobody has seen, made at random from a seed, answered by Kafka Streams
 * itself, and run here as they are and with commits and restarts.
 */
function run(): boolean {
  const values = script('npm run conformance:oracle --',
    'Random cases, answered by Kafka Streams itself, and compared with what comes here, as they are and with commits and restarts. Prints passed / total by family; exit code 1 '
      + 'unless all pass. Needs a JDK of 17 or newer and Maven.')
    .option('--seed <number>', 'which random cases', whole(), 1)
    .option('--cases <number>', 'of each family', whole(1), 200)
    .option('--family <name>', `only this one of ${families.join(', ')}; may be given several times (default: all)`,
      (name: string, before: readonly string[] = []) => [...before, oneOf(families)(name)])
    .option('--keep <folder>', 'write the answered cases there, as vectors')
    .parse()
    .opts<{ readonly seed: number; readonly cases: number; readonly family?: readonly string[]; readonly keep?: string }>();
  const { seed, cases } = values;
  const oracle = new Oracle();
  let passedAll = true;
  for (const family of values.family ?? families) {
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
