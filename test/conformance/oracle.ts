import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { requireCommand } from '../services/local-process.ts';
import type { Case } from './case.ts';
import { judge, type Verdict } from './judge.ts';
import { randomFrom } from '../seeded-random.ts';
import type { Question } from './random-cases.ts';

const cache = resolve(import.meta.dirname, '../../.voltstream/conformance');

/** Kafka Streams itself, in a process of its own (`oracle/`, Java), asked what it emits. Needs a JDK of 17 or newer, and Maven. */
export class Oracle {
  readonly #classPath: string;

  /** Builds it; Maven fetches Kafka Streams at the first time. */
  constructor() {
    requireCommand('javac', '-version', 'install a JDK of 17 or newer (Debian: apt-get install default-jdk-headless)');
    requireCommand('mvn', '--version', 'install Maven 3 (Debian: apt-get install maven)');
    const target = join(cache, 'target');
    const { status, stdout, stderr } = spawnSync('mvn', ['-B', '-q', `-Doracle.target=${target}`, 'package'], {
      cwd: join(import.meta.dirname, 'oracle'), encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`Maven could not build the oracle:\n${stdout}${stderr}`);
    this.#classPath = [join(target, 'classes'), join(target, 'dependency', '*')].join(delimiter);
  }

  /** The questions as cases, with outputs and dropped records filled in. */
  answer(questions: readonly Question[]): readonly Case[] {
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'run-'));
    try {
      const [questionFile, answerFile] = [join(folder, 'questions.json'), join(folder, 'answers.json')];
      writeFileSync(questionFile, JSON.stringify(questions));
      const { status, stdout, stderr } = spawnSync('java', ['-cp', this.#classPath, `-Djava.io.tmpdir=${folder}`, 'Oracle', questionFile, answerFile], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`the oracle failed:\n${stdout}${stderr}`);
      return JSON.parse(readFileSync(answerFile, 'utf8')) as readonly Case[];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** The verdict on a case as it is and, when that is passed, with commits and restarts at random places. */
export function verdictOn(one: Case, seed: number): Verdict {
  try {
    const calm = judge(one);
    if (calm.kind !== 'passed') return calm;
    const random = randomFrom(seed);
    return judge(one, () => {
      const drawn = random();
      return drawn < 0.15 ? 'restart' : drawn < 0.35 ? 'commit' : 'none';
    });
  } catch (error) {
    return { kind: 'failed', why: String(error) };
  }
}
