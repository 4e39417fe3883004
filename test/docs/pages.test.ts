import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseChargingEvent } from '../../schemas/charging-event-json.ts';
import { chargingEvent } from '../../schemas/generated/charging-event.ts';
import { chargingTopology } from '../../charging/topology.ts';
import { anchors, codeBlocks, pages, prose, root } from './pages.ts';
import type { Page } from './pages.ts';

const all = pages();
const pageAt = (path: string): Page => {
  const page = all.find((candidate) => candidate.path === path);
  if (page === undefined) throw new Error(`there is no page ${path}`);
  return page;
};

function brokenLinks(page: Page): readonly string[] {
  const targets = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const found = path === '' ? page.path : join(dirname(page.path), path);
    if (!existsSync(join(root, found))) return true;
    return anchor !== undefined && !anchors(pageAt(found)).includes(anchor);
  });
}

function helpOf(...args: readonly string[]): string {
  return spawnSync(process.execPath, [join(root, 'cli', 'voltstream.ts'), ...args, '--help'], { encoding: 'utf8' }).stdout;
}

/** First cells of the table that follows a heading. */
function firstColumn(page: Page, heading: string): readonly string[] {
  const section = page.text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| (`.+?) \|/gm)].map(([, cell = '']) => cell);
}

describe('pages', () => {
  it.each(all.map((page) => [page.path, page] as const))('%s has no broken link', (_path, page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it('name npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };
    const named = all.flatMap(({ text }) => [...text.matchAll(/\bnpm (?:run (?:-s )?([\w:-]+)|(start|test)\b)/g)].map((match) => match[1] ?? match[2] ?? ''));
    expect(named).toEqual(expect.arrayContaining(['start', 'test', 'voltstream']));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('name commands that exist, with flags that they have', () => {
    const commands = new Map<string, string>();
    for (const { code } of all.flatMap(codeBlocks).filter((block) => block.language === 'sh')) {
      for (const [, name = '', rest = ''] of code.matchAll(/voltstream(?:\.ts)?(?: --)? ([a-z]+(?:-[a-z]+)*)([^\n#]*)/g)) {
        const help = commands.get(name) ?? helpOf(name);
        commands.set(name, help);
        expect(help, name).toContain(`voltstream ${name}`);
        for (const [flag] of rest.matchAll(/--[a-z-]+/g)) expect(help, `${name} ${flag}`).toContain(flag);
      }
    }
    expect([...commands.keys()]).toEqual(expect.arrayContaining(['query', 'verify', 'ingest']));
  });
});

describe('running.md', () => {
  const page = pageAt('docs/running.md');
  const lines = page.text.split('\n');

  it('lists every command', () => {
    const commands = [...helpOf().split('Commands:')[1]?.matchAll(/^ {2}(\w[\w-]*)/gm) ?? []].map(([, name = '']) => name).filter((name) => name !== 'help');
    const listed = lines.filter((line) => /^\| `[a-z]+/.test(line)).map((line) => /^\| `([a-z-]+)/.exec(line)?.[1]);
    expect(commands.filter((name) => !listed.includes(name))).toEqual([]);
  });

  it('lists every flag of every command, and no other', () => {
    const listed = new Set(firstColumn(page, 'Flags').flatMap((cell) => cell.match(/--[a-z-]+/g) ?? []));
    const known = new Set(['run', 'ingest', 'simulate', 'reference', 'query', 'report', 'export', 'state', 'verify', 'topology', 'load-test'].flatMap((name) => helpOf(name).match(/(?<=^ {2})--[a-z-]+/gm) ?? []));
    known.delete('--against');   // it stands with its command
    expect([...listed].sort()).toEqual([...known].sort());
  });
});

describe('events.md', () => {
  it('lists the fields of the schema', () => {
    const fields = (chargingEvent.schema as { readonly fields: readonly { readonly name: string }[] }).fields.map(({ name }) => `\`${name}\``);
    expect([...firstColumn(pageAt('docs/events.md'), 'Fields')].sort()).toEqual([...fields].sort());
  });

  it('has an example of sound events, with one that was sent twice', () => {
    const lines = readFileSync(join(root, 'docs', 'events.example.jsonl'), 'utf8').trim().split('\n');
    const parsed = lines.map(parseChargingEvent);
    expect(parsed.map((event) => event.kind === 'event' ? event.unknownFields : event.problem)).toEqual(lines.map(() => []));
    expect(new Set(lines).size).toBe(lines.length - 1);
  });
});

describe('README.md', () => {
  it('draws steps, topics and tables that the topology has', () => {
    const diagram = codeBlocks(pageAt('README.md')).find((block) => block.language === 'mermaid')?.code ?? '';
    const described = chargingTopology().describe();
    const drawn = [...diagram.matchAll(/\(?"([\w.-]+)(?:<br\/>[^"]*)?"\)?/g)].map(([, name = '']) => name);
    expect(drawn.length).toBeGreaterThan(8);
    expect(drawn.filter((name) => !described.includes(name))).toEqual([]);
  });
});

describe('runtime/ARCHITECTURE.md', () => {
  it('names files and folders that exist, from its own folder or from the root', () => {
    const named = [...pageAt('runtime/ARCHITECTURE.md').text.matchAll(/`([\w./-]+(?:\.ts|\/))`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(join(root, 'runtime', path)) && !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('decisions', () => {
  it.each(readdirSync(join(root, 'docs', 'decisions')))('%s has status, decision, why and consequence on at most 60 lines', (file) => {
    const { text } = pageAt(`docs/decisions/${file}`);
    expect(text).toMatch(new RegExp(`^# ${Number(file.slice(0, 4))}\\. `));
    expect(text).toMatch(/^Status: (accepted|superseded by \[.+\]\(.+\))$/m);
    expect(['Decision', 'Why', 'Consequence'].filter((heading) => !text.includes(`\n## ${heading}\n`))).toEqual([]);
    expect(text.split('\n').length).toBeLessThanOrEqual(61);
  });
});
