import { readFile } from 'node:fs/promises';
import { VoltstreamError } from '../../../errors.ts';

const requestTimeoutMs = 10_000;
/** A token is asked for anew when so much of its life is over. */
const renewAfter = 0.8;
/** What an endpoint that says nothing about it gives is taken to live so long. */
const lifeDefaultSeconds = 60;

/** Reads the file at each login, so that whoever writes it renews the token. */
export function tokenOfFile(file: string): () => Promise<string> {
  return async () => {
    try {
      return (await readFile(file, 'utf8')).trim();
    } catch (error) {
      throw new VoltstreamError('LOG_REFUSED', 'the file with the token cannot be read', { where: file, cause: error });
    }
  };
}

export interface TokenEndpoint {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string | null;
}

interface TokenAnswer {
  readonly access_token?: unknown;
  readonly expires_in?: unknown;
}

/**
 * Asks an OAuth token endpoint for client credentials (RFC 6749, 4.4), and again when the token grows old. An endpoint that refuses is
 * LOG_REFUSED, one that does not answer LOG_UNAVAILABLE; the secret is in no text.
 */
export function tokenOfEndpoint(endpoint: TokenEndpoint, nowMs: () => number = () => performance.now()): () => Promise<string> {
  let token: string | null = null;
  let renewAtMs = 0;
  return async () => {
    if (token !== null && nowMs() < renewAtMs) return token;
    const { access_token: given, expires_in: seconds } = await request(endpoint);
    if (typeof given !== 'string' || given === '') throw new VoltstreamError('LOG_REFUSED', 'the token endpoint answered without an access_token', { where: placeOf(endpoint.url) });
    token = given;
    renewAtMs = nowMs() + (typeof seconds === 'number' && seconds > 0 ? seconds : lifeDefaultSeconds) * 1_000 * renewAfter;
    return given;
  };
}

/** Without user, password and query. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

async function request({ url, clientId, clientSecret, scope }: TokenEndpoint): Promise<TokenAnswer> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === null ? {} : { scope }) });
  const login = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64');
  try {
    const response = await fetch(url, { method: 'POST', body, headers: { authorization: `Basic ${login}` }, signal: AbortSignal.timeout(requestTimeoutMs) });
    const refused = response.status >= 400 && response.status < 500 && response.status !== 429;
    if (!response.ok) {
      throw new VoltstreamError(refused ? 'LOG_REFUSED' : 'LOG_UNAVAILABLE', `the token endpoint answered ${response.status}`, {
        where: placeOf(url), ...(refused ? { cure: 'Check log.sasl.clientId, log.sasl.clientSecret and log.sasl.scope.' } : {}),
      });
    }
    return (await response.json()) as TokenAnswer;
  } catch (error) {
    if (error instanceof VoltstreamError) throw error;
    throw new VoltstreamError('LOG_UNAVAILABLE', 'the token endpoint does not answer', { where: placeOf(url), cause: error });
  }
}
