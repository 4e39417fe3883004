import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The request never arrives; or it is carried out, and the answer is cut off, or comes as an error of somebody in between. */
export type ProxyFault = 'lost-request' | 'lost-answer' | 'false-answer';

/** Stands before an HTTP server and lets the n-th request since `arm` meet a fault; all others pass. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #target: URL;
  requests = 0;
  #faultAt = 0;
  #fault: ProxyFault = 'lost-request';

  constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((request, response) => void this.#pass(request, response));
    this.#server.keepAliveTimeout = 30_000;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Counts from 1 again; 0 lets everything pass. */
  arm(faultAt: number, fault: ProxyFault = 'lost-request'): void {
    this.requests = 0;
    this.#faultAt = faultAt;
    this.#fault = fault;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = ++this.requests === this.#faultAt ? this.#fault : null;
    const body = await bytesOf(request);
    if (fault === 'lost-request') return void request.socket.destroy();
    const { hostname, port } = this.#target;
    const onward = forward({ hostname, port, path: request.url, method: request.method, headers: { ...request.headers, host: `${hostname}:${port}` } });
    onward.once('error', () => request.socket.destroy());
    onward.once('response', (answer) => void (async () => {
      const bytes = await bytesOf(answer);
      if (fault === 'lost-answer') return void request.socket.destroy();
      if (fault === 'false-answer') return void response.writeHead(502).end('<html>Bad Gateway</html>');
      const { 'transfer-encoding': _, ...headers } = answer.headers;
      response.writeHead(answer.statusCode ?? 500, { ...headers, 'content-length': bytes.length }).end(bytes);
    })());
    onward.end(body);
  }
}

async function bytesOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
