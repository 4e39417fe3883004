/**
 * Splits a script at its semicolons, but not at those in strings, quoted names, comments or heredocs (`$tag$...$tag$`). Comments
 * outside of strings are left out, and so are empty statements.
 */
export function splitStatements(script: string): readonly string[] {
  const statements: string[] = [];
  let statement = '';
  let at = 0;
  while (at < script.length) {
    const comment = commentEnd(script, at);
    if (comment > at) {
      statement += ' ';
      at = comment;
      continue;
    }
    const quoted = quotedEnd(script, at);
    if (quoted > at) {
      statement += script.slice(at, quoted);
      at = quoted;
      continue;
    }
    if (script[at] === ';') {
      statements.push(statement.trim());
      statement = '';
    } else {
      statement += script[at];
    }
    at++;
  }
  statements.push(statement.trim());
  return statements.filter((text) => text !== '');
}

/** Where the comment that begins here ends, or `at` when none does. */
function commentEnd(script: string, at: number): number {
  if (script.startsWith('--', at)) return endOr(script.indexOf('\n', at), script.length);
  if (script.startsWith('/*', at)) return endOr(script.indexOf('*/', at + 2), script.length - 2) + 2;
  return at;
}

/** Where the string, quoted name or heredoc that begins here ends, or `at` when none does. */
function quotedEnd(script: string, at: number): number {
  const quote = script[at];
  if (quote === '$') {
    const tag = /^\$\w*\$/.exec(script.slice(at, at + 80))?.[0];
    return tag === undefined ? at : endOr(script.indexOf(tag, at + tag.length), script.length - tag.length) + tag.length;
  }
  if (quote !== "'" && quote !== '"' && quote !== '`') return at;
  let end = at + 1;
  while (end < script.length && script[end] !== quote) end += script[end] === '\\' ? 2 : 1;
  return Math.min(end + 1, script.length);
}

function endOr(found: number, otherwise: number): number {
  return found < 0 ? otherwise : found;
}

const repeatableForms: readonly RegExp[] = [
  /^CREATE\s+(?:\w+\s+)*?(?:TABLE|VIEW|DICTIONARY|FUNCTION|DATABASE)\s+IF\s+NOT\s+EXISTS\b/i,
  /^CREATE\s+OR\s+REPLACE\s+(?:VIEW|DICTIONARY|FUNCTION)\b/i,
  /^DROP\s+(?:TABLE|VIEW|DICTIONARY|FUNCTION|DATABASE)\s+IF\s+EXISTS\b/i,
];

const alterForm = /^ALTER\s+TABLE\s/i;
const alterParts = /\b(?:ADD|DROP|RENAME|CLEAR|MODIFY|COMMENT)\s+(?:COLUMN|INDEX|PROJECTION|CONSTRAINT|STATISTICS)\b(\s+IF\s+(?:NOT\s+)?EXISTS\b)?/gi;
const alterModify = /\bMODIFY\s+(?:SETTING|TTL|COMMENT|QUERY|COLUMN|ORDER\s+BY)\b/i;

/** True for statements that end in the same place however often they run, also at the same time. */
export function isRepeatable(statement: string): boolean {
  if (repeatableForms.some((form) => form.test(statement))) return true;
  if (!alterForm.test(statement)) return false;
  const parts = [...statement.matchAll(alterParts)].filter(([part]) => !/^(?:MODIFY|COMMENT)/i.test(part));
  return parts.length > 0 ? parts.every((part) => part[1] !== undefined) : alterModify.test(statement);
}
