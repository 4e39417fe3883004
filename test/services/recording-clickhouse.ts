import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface RecordedStatement {
  readonly sql: string;
  readonly body: Buffer;
  readonly user: string;
}

/** What befalls an insert: it does or does not take effect, and the answer is lost, late or wrong. */
export type InsertFault = 'reset-before' | 'reset-after' | 'status-500-before' | 'status-500-after' | 'proxy-502-after' | 'hang-before' | 'hang-after';

interface Answer {
  readonly status?: number;
  readonly code?: number;
  readonly text: string;
}

/**
 * The HTTP interface of a ClickHouse server that understands no SQL: it records statements, keeps what was inserted by the `_batch` at the end of each
 * body, remembers tokens as a table with a deduplication window does, and answers as it is told. For what chDB lacks: users, replicas, settings held fast.
 */
export class RecordingClickHouse {
  readonly #server: Server;
  readonly #scheme: string;
  readonly statements: RecordedStatement[] = [];
  readonly #tokens = new Set<string>();
  /** Bodies that took effect, in order. */
  readonly inserted: Buffer[] = [];
  /** For the next inserts, in order. */
  readonly faults: InsertFault[] = [];
  /** Answers to statements that contain a text, before all others: rows, or what the server says against it. */
  readonly answers = new Map<string, readonly object[] | Answer>();
  login: { readonly user: string; readonly password: string } | null = null;
  /** Inserts at work at the same moment, at the most so far; each takes `insertMs`. */
  insertsAtOnce = 0;
  insertMs = 0;
  #atWork = 0;

  constructor(tls?: { readonly key: string; readonly cert: string }) {
    const listener: RequestListener = (request, response) => void this.#handle(request, response);
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  of(start: string): readonly RecordedStatement[] {
    return this.statements.filter(({ sql }) => sql.startsWith(start));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const query = new URL(request.url ?? '/', 'http://server').searchParams.get('query');
    const sql = query ?? body.toString();
    const [user = '', password = ''] = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString().split(/:(.*)/s);
    if (this.login !== null && (user !== this.login.user || password !== this.login.password)) {
      return this.#refuse(response, { status: 403, code: 516, text: `Code: 516. DB::Exception: ${user}: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)` });
    }
    this.statements.push({ sql, body: query === null ? Buffer.alloc(0) : body, user });
    if (sql.startsWith('INSERT') && query !== null) return this.#insert(sql, body, request, response);
    const found = [...this.answers].find(([text]) => sql.includes(text))?.[1];
    if (found !== undefined && !Array.isArray(found)) return this.#refuse(response, found as Answer);
    response.end((found as readonly object[] | undefined ?? this.#usual(sql)).map((row) => `${JSON.stringify(row)}\n`).join(''));
  }

  async #insert(sql: string, body: Buffer, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.faults.shift();
    this.insertsAtOnce = Math.max(this.insertsAtOnce, ++this.#atWork);
    if (this.insertMs > 0) await new Promise((later) => setTimeout(later, this.insertMs));
    this.#atWork--;
    if (fault?.endsWith('before') !== true) {
      const token = /insert_deduplication_token = '([^']*)'/.exec(sql)?.[1] ?? '';
      if (!this.#tokens.has(token)) this.inserted.push(body);
      this.#tokens.add(token);
    }
    if (fault?.startsWith('reset') === true) return void request.socket.destroy();
    if (fault?.startsWith('hang') === true) return;
    if (fault?.startsWith('status-500') === true) return this.#refuse(response, { status: 500, code: 999, text: 'Code: 999. Coordination::Exception: Session expired. (KEEPER_EXCEPTION)' });
    if (fault?.startsWith('proxy') === true) return this.#refuse(response, { status: 502, text: '<html>Bad Gateway</html>' });
    response.end();
  }

  #refuse(response: ServerResponse, { status = 500, code, text }: Answer): void {
    response.statusCode = status;
    if (code !== undefined) response.setHeader('X-ClickHouse-Exception-Code', String(code));
    response.end(text);
  }

  #usual(sql: string): readonly object[] {
    if (!sql.includes('WHERE _batch IN')) return [];
    const held = new Set(this.inserted.map((body) => body.subarray(-16).toString('hex')));
    return [...sql.matchAll(/unhex\('([0-9a-f]{32})'\)/g)].flatMap(([, batch = '']) => (held.has(batch) ? [{ batch }] : []));
  }
}
