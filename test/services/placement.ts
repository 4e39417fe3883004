import { request } from 'node:http';

/** Where services run: as containers, or as processes of this machine. */
export type Placement = 'containers' | 'processes';

const answerMs = 2_000;
const usualSocket = '/var/run/docker.sock';

/**
 * Containers where a Docker engine answers (DOCKER_HOST, or its usual socket), else local processes. VOLTSTREAM_TEST_SERVICES may say
 * `containers` or `processes`.
 */
export async function placement(environment: Readonly<Record<string, string | undefined>> = process.env): Promise<Placement> {
  const said = environment['VOLTSTREAM_TEST_SERVICES'];
  if (said === 'containers' || said === 'processes') return said;
  if (said !== undefined && said !== '') throw new Error(`VOLTSTREAM_TEST_SERVICES must be containers or processes, not ${said}`);
  return (await dockerAnswers(environment['DOCKER_HOST'])) ? 'containers' : 'processes';
}

/** Asks the engine itself: a docker command without an engine behind it is of no use. */
async function dockerAnswers(host: string | undefined): Promise<boolean> {
  const target = host === undefined || host === '' ? { socketPath: usualSocket } : targetOf(host);
  if (target === null) return true; // ssh and the like: testcontainers knows how to reach it
  return new Promise((done) => {
    const asking = request({ ...target, path: '/_ping', timeout: answerMs }, (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    asking.once('timeout', () => asking.destroy());
    asking.once('error', () => done(false));
    asking.once('close', () => done(false));
    asking.end();
  });
}

function targetOf(host: string): { readonly socketPath: string } | { readonly host: string; readonly port: number } | null {
  const { protocol, hostname, port, pathname } = new URL(host);
  if (protocol === 'unix:') return { socketPath: pathname };
  return protocol === 'tcp:' ? { host: hostname, port: Number(port === '' ? 2375 : port) } : null;
}
