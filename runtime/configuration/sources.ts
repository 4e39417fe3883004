import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { nearest, settingEntries } from './paths.ts';

/** A value as someone gave it, and where, for messages. */
export interface GivenValue {
  readonly path: string;
  readonly raw: unknown;
  readonly where: string;
}

/** Collects what was given and everything that is wrong with it, so that one run names all mistakes. */
export interface Findings {
  readonly given: GivenValue[];
  readonly problems: string[];
}

const pathsOf = settingEntries.map((entry) => entry.path);

function unknown(name: string, candidates: readonly string[], where: string): string {
  const meant = nearest(name, candidates);
  return `${where}: ${name} is not a setting${meant === null ? '' : `; did you mean ${meant}?`}`;
}

/** YAML, or JSON, which is YAML as well. */
export function readFile(file: string, findings: Findings): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    findings.problems.push(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
    return;
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    findings.problems.push(...document.errors.map((error) => `${file}: ${error.message.split('\n')[0] ?? 'is not YAML'}`));
    return;
  }
  const tree: unknown = document.toJS();
  if (tree === null) return;
  if (typeof tree !== 'object' || Array.isArray(tree)) {
    findings.problems.push(`${file}: the top of the file must be settings by name`);
    return;
  }
  readTree(tree, '', file, findings);
}

function readTree(tree: object, prefix: string, file: string, findings: Findings): void {
  for (const [name, raw] of Object.entries(tree) as [string, unknown][]) {
    const path = prefix + name;
    if (pathsOf.includes(path)) findings.given.push({ path, raw, where: file });
    else if (pathsOf.some((known) => known.startsWith(`${path}.`))) {
      if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) readTree(raw, `${path}.`, file, findings);
      else findings.problems.push(`${file}: ${path} is a group of settings, not a value`);
    } else findings.problems.push(unknown(path, pathsOf, file));
  }
}

/** Variables that belong to others: the file's name, and the switches of the test suite. */
const foreignVariable = /^VOLTSTREAM_(CONFIG$|TEST_)/;

export function readEnvironment(environment: Readonly<Record<string, string | undefined>>, findings: Findings): void {
  for (const [name, raw] of Object.entries(environment)) {
    if (raw === undefined || !name.startsWith('VOLTSTREAM_') || foreignVariable.test(name)) continue;
    const entry = settingEntries.find((candidate) => candidate.environment === name);
    if (entry !== undefined) findings.given.push({ path: entry.path, raw, where: name });
    else findings.problems.push(unknown(name, settingEntries.map((candidate) => candidate.environment), 'environment'));
  }
}

/** By path, as given by `--set path=value`, or by the name of a flag of its own. */
export function readFlags(flags: Readonly<Record<string, unknown>>, findings: Findings): void {
  for (const [name, raw] of Object.entries(flags)) {
    if (raw === undefined) continue;
    const entry = settingEntries.find((candidate) => candidate.path === name || candidate.setting.alias === name);
    if (entry === undefined) findings.problems.push(unknown(name, pathsOf, 'command line'));
    else findings.given.push({ path: entry.path, raw, where: entry.path === name ? '--set' : `--${name}` });
  }
}
