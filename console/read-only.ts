/**
 * Why a statement may not come in by HTTP, or null when it only reads tables.
 *
 * This is the outer door: the callback that runs the statement must also run it without rights to write where the
 * warehouse knows such rights. When this reading of the text could differ from ClickHouse's, the statement is refused.
 */
export function refusalOf(sql: string): string | null {
  const bare = withoutTextAndComments(sql);
  if (bare === null) return 'it holds quotes or comments that do not end, here-documents, or typographic quotes';
  const statement = bare.trim().replace(/;\s*$/, '');
  if (statement.includes(';')) return 'it holds more than one statement';
  const first = /^[\s(]*([a-z]+)/i.exec(statement)?.[1]?.toUpperCase() ?? '';
  if (!readingStatements.includes(first)) return `it begins with ${first === '' ? 'no word' : first}`;
  if (/\bINSERT\b/i.test(statement)) return 'it inserts';
  if (/\bOUTFILE\b/i.test(statement)) return 'it writes a file';
  const outside = outsideFunctions.exec(statement)?.[1];
  return outside === undefined ? null : `${outside}() reaches outside the tables`;
}

const readingStatements = ['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'DESC', 'EXISTS', 'EXPLAIN'];

/** Table functions of ClickHouse that read files, other servers or programs. A name may stand in back-quotes: see below. */
const outsideFunctions =
  /\b(file\w*|url\w*|s3\w*|gcs\w*|remote\w*|cluster\w*|mysql|postgresql|mongodb|redis|sqlite|odbc|jdbc|hdfs\w*|azure\w*|executable|iceberg\w*|deltaLake\w*|hudi\w*|paimon\w*|oss|cosn|python|input|ytsaurus|arrowflight)\s*\(/i;

/** Text between single quotes becomes '', comments a blank; quoted names keep their text, so that they are looked at. */
function withoutTextAndComments(sql: string): string | null {
  let rest = sql;
  let bare = '';
  while (rest !== '') {
    const token = /^(?:'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/|[\s\S])/.exec(rest)?.[0] ?? '';
    rest = rest.slice(token.length);
    if (token.length === 1 && (/['"`$\u2018\u2019\u201C\u201D]/.test(token) || (token === '/' && rest.startsWith('*')))) return null;
    if (token.startsWith('\'')) bare += '\'\'';
    else if (/^(--|#|\/\*)/.test(token)) bare += ' ';
    else if (/^["`]/.test(token)) bare += token.slice(1, -1).replaceAll(';', ' ');
    else bare += token;
  }
  return bare;
}
