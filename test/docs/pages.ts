import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..', '..');

const notOurs = /^(node_modules|dist|coverage|\..*)$/;

/** A page in Markdown, its path from the root of the repository. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/** All pages of the repository. */
export function pages(folder = root): readonly Page[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.test(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pages(path);
    return entry.name.endsWith('.md') ? [{ path: relative(root, path), text: readFileSync(path, 'utf8') }] : [];
  });
}

export interface CodeBlock {
  readonly language: string;
  /** Named by `file=NAME` behind the language: such a block is written to a file of this name and run. */
  readonly file: string | null;
  readonly code: string;
}

export function codeBlocks({ text }: Page): readonly CodeBlock[] {
  return [...text.matchAll(/^```(\w*)([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language = '', rest = '', code = '']) => ({
    language, code, file: /\bfile=(\S+)/.exec(rest)?.[1] ?? null,
  }));
}

/** The text without code, where nothing is a link or a heading. */
export function prose({ text }: Page): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ' '));
}

/** Anchors of a page's headings, as GitHub makes them. */
export function anchors(page: Page): readonly string[] {
  return [...page.text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-'));
}
