import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readBy, script } from '../script-options.ts';
import type { Case } from './case.ts';
import { judge } from './judge.ts';

/** `npm run conformance -- DIR`: every family of a folder, passed / total; exit 1 unless all pass. */
function run(folder: string): boolean {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json')).sort();
  const notBuilt: string[] = [];
  let allPassed = true;
  for (const file of files) {
    const family = basename(file, '.json');
    const cases = JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly Case[];
    let passed = 0;
    const failures: string[] = [];
    for (const one of cases) {
      const verdict = attempt(one);
      if (verdict.kind === 'passed') passed += 1;
      else if (verdict.kind === 'not-built') notBuilt.push(family);
      else failures.push(`  ${one.id}: ${verdict.why}`);
    }
    console.log(`${family.padEnd(20)} ${passed}/${cases.length}`);
    for (const failure of failures.slice(0, 5)) console.log(failure);
    if (failures.length > 5) console.log(`  and ${failures.length - 5} more`);
    if (passed < cases.length) allPassed = false;
  }
  if (notBuilt.length > 0) console.log(`not built yet: ${[...new Set(notBuilt)].join(', ')}`);
  return allPassed;
}

function attempt(one: Case): ReturnType<typeof judge> {
  try {
    return judge(one);
  } catch (error) {
    return { kind: 'failed', why: String(error) };
  }
}

/** The families in it, so that a wrong folder is told before anything runs. */
function folderOfFamilies(folder: string): string {
  if (readdirSync(folder).some((name) => name.endsWith('.json'))) return folder;
  throw new Error(`There are no .json files in ${folder}.`);
}

const [folder] = script('npm run conformance --', 'Compares what the operators give with what Kafka Streams gave: each family of a folder of cases, passed of all. Ends with 1 unless all pass.')
  .argument('<folder>', 'with one .json file for each family, such as test/conformance/vectors', readBy(folderOfFamilies))
  .parse()
  .processedArgs as [string];
if (!run(folder)) process.exitCode = 1;
