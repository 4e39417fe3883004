import { describe, expect, it } from 'vitest';
import { refusalOf } from './read-only.ts';

describe('statements by HTTP', () => {
  it.each([
    'SELECT 1', ' (select 1) ;\n', 'WITH x AS (SELECT 1) SELECT * FROM x', 'SHOW CREATE TABLE t', 'DESCRIBE t', 'EXPLAIN SELECT 1',
    "SELECT 'DROP TABLE t; INSERT INTO t', count() FROM t -- ; drop", 'SELECT /* INSERT; */ 1', "SELECT 'it''s', 'a\\'b;' # x;",
    'SELECT `strange;name` FROM t', 'SELECT profile, url FROM t', 'EXISTS TABLE t', 'SELECT domain(page_url) FROM t',
  ])('let %s in', (sql) => {
    expect(refusalOf(sql)).toBe(null);
  });

  it.each([
    ['INSERT INTO t VALUES (1)', 'begins with INSERT'], ['DROP TABLE t', 'begins with DROP'], ['', 'no word'], ['-- only this', 'no word'],
    ['SELECT 1; DROP TABLE t', 'more than one'], ['SELECT 1 /* x */ ; SELECT 2', 'more than one'], ["SELECT '\\''; DROP TABLE t -- '", 'more than one'],
    ['WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x', 'inserts'], ["SELECT 1 INTO OUTFILE '/tmp/x'", 'writes a file'],
    ["SELECT * FROM file('/etc/passwd')", 'file()'], ["SELECT * FROM `file` ('/etc/passwd')", 'file()'], ["SELECT * FROM url/**/('http://x')", 'url()'],
    ["SELECT * FROM s3Cluster('x')", 's3Cluster()'], ["SELECT * FROM remoteSecure('x')", 'remoteSecure()'],
    ["SELECT $$ ' $$; DROP TABLE t; -- '", 'do not end'], ["SELECT 'open", 'do not end'], ['SELECT 1 /* open', 'do not end'], ['SELECT \u2018x\u2019', 'do not end'],
  ])('refuse %s: %s', (sql, reason) => {
    expect(refusalOf(sql)).toContain(reason);
  });
});
