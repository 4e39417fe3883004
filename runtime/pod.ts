import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Configuration } from './configuration.ts';

export interface PodSources {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly host?: string;
  /** Four characters, so that several processes of one host differ, and one that was started again differs from the one before. */
  readonly random?: string;
}

/** The name of this process: as configured, else POD_NAME as Kubernetes gives it, else the host name and four random characters. */
export function podIdOf({ pod }: Pick<Configuration, 'pod'>, sources: PodSources = {}): string {
  const { environment = {}, host = hostname(), random = randomBytes(2).toString('hex') } = sources;
  const named = pod.id ?? environment['POD_NAME'];
  return named === undefined || named === '' ? `${host.slice(0, 90)}-${random}` : named;
}
