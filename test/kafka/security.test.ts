import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../services/certificates.ts';
import { KafkaService } from '../services/kafka.ts';
import { freePort } from '../services/local-process.ts';
import { numbered, readAll, unique } from '../../runtime/log/contract/contract-log.ts';
import { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { tokenOfEndpoint, tokenOfFile } from '../../runtime/log/kafka/oauth-token.ts';
import type { KafkaLogOptions } from '../../runtime/log/kafka/options.ts';

const secret = 'open-sesame-42';

/** A token that is signed by nobody: what a broker takes without a validator of its own. */
function token(lifeSeconds = 600): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowSeconds = Math.floor(Date.now() / 1_000);
  return `${part({ alg: 'none' })}.${part({ sub: 'volt', iat: nowSeconds, exp: nowSeconds + lifeSeconds })}.`;
}

describe.skipIf(process.env['VOLTSTREAM_TEST_KAFKA'] === undefined)('Kafka that asks who is there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voltstream-kafka-security-'));
  const [server, client, stranger] = ['server', 'client', 'stranger'].map((name) => selfSigned(mkdtempSync(join(folder, name)), name));
  let kafka: KafkaService;
  const ports = { sasl: 0, tls: 0 };

  beforeAll(async () => {
    ports.sasl = await freePort();
    ports.tls = await freePort();
    const keyStore = join(folder, 'server.pem');
    writeFileSync(keyStore, readFileSync(server!.keyFile, 'utf8') + readFileSync(server!.certFile, 'utf8'));
    const sasl = 'listener.name.login';
    kafka = new KafkaService({
      listeners: [{ name: 'LOGIN', protocol: 'SASL_PLAINTEXT', port: ports.sasl }, { name: 'TLS', protocol: 'SSL', port: ports.tls }],
      formatArguments: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=volt,password=${secret}]`]),
      properties: `sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
${sasl}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_volt="${secret}";
${sasl}.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
${sasl}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
${sasl}.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="volt";
listener.name.tls.ssl.keystore.type=PEM
listener.name.tls.ssl.keystore.location=${keyStore}
listener.name.tls.ssl.truststore.type=PEM
listener.name.tls.ssl.truststore.location=${client!.certFile}
listener.name.tls.ssl.client.auth=required
`,
    });
    await kafka.start();
  }, 120_000);
  afterAll(async () => {
    await kafka.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const logOf = (port: number, security: NonNullable<KafkaLogOptions['security']>): KafkaLog =>
    new KafkaLog({ brokers: [`127.0.0.1:${port}`], application: 'security', security });

  async function writesAndReads(log: KafkaLog): Promise<void> {
    await log.open();
    const topic = unique('secure');
    await log.createTopics([{ topic, partitions: 1 }]);
    const producer = await log.producer();
    await producer.append(numbered(topic, 0, 3));
    await producer.close();
    expect(await readAll(log, { topic, partition: 0 })).toHaveLength(3);
    await log.close();
  }

  async function refused(log: KafkaLog): Promise<void> {
    const beforeMs = performance.now();
    const error: unknown = await log.open().then(() => null, (reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'LOG_REFUSED' });
    expect(performance.now() - beforeMs, 'it is not tried again and again').toBeLessThan(5_000);
    const told = String(error) + JSON.stringify(error);
    for (const word of [secret, 'wrong-password', 'Bearer']) expect(told).not.toContain(word);
    await log.close();
  }

  const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

  it.each(mechanisms)('lets %s in', async (mechanism) => {
    await writesAndReads(logOf(ports.sasl, { sasl: { mechanism, username: 'volt', password: secret } }));
  });

  it.each(mechanisms)('a wrong password by %s is LOG_REFUSED at once', async (mechanism) => {
    await refused(logOf(ports.sasl, { sasl: { mechanism, username: 'volt', password: 'wrong-password' } }));
    await refused(logOf(ports.sasl, { sasl: { mechanism, username: 'nobody', password: secret } }));
  });

  it('lets a token of a file in, and refuses one that is over', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, `${token()}\n`);
    await writesAndReads(logOf(ports.sasl, { sasl: { mechanism: 'oauthbearer', token: tokenOfFile(file) } }));
    writeFileSync(file, token(-600));
    await refused(logOf(ports.sasl, { sasl: { mechanism: 'oauthbearer', token: tokenOfFile(file) } }));
    await refused(logOf(ports.sasl, { sasl: { mechanism: 'oauthbearer', token: tokenOfFile(join(folder, 'nowhere')) } }));
  });

  it('lets a token of an endpoint in, asks again when it grows old, and says when the endpoint refuses', async () => {
    let asked = 0;
    const endpoint = createServer((request, response) => {
      asked += 1;
      const login = `Basic ${Buffer.from(`volt:${secret}`).toString('base64')}`;
      response.statusCode = request.headers.authorization === login ? 200 : 401;
      response.end(JSON.stringify({ access_token: token(), expires_in: 100 }));
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`;
    let nowMs = 0;
    const right = tokenOfEndpoint({ url, clientId: 'volt', clientSecret: secret, scope: 'kafka' }, () => nowMs);
    await writesAndReads(logOf(ports.sasl, { sasl: { mechanism: 'oauthbearer', token: right } }));
    expect(asked).toBe(1);
    nowMs = 81_000;
    await right();
    expect(asked).toBe(2);
    const wrong = tokenOfEndpoint({ url, clientId: 'volt', clientSecret: 'wrong-password', scope: null });
    await refused(logOf(ports.sasl, { sasl: { mechanism: 'oauthbearer', token: wrong } }));
    await new Promise((resolve) => endpoint.close(resolve));
    const away = logOf(ports.sasl, { sasl: { mechanism: 'oauthbearer', token: tokenOfEndpoint({ url, clientId: 'volt', clientSecret: secret, scope: null }) } });
    await expect(away.open()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await away.close();
  });

  it('speaks TLS with a certificate on both sides', async () => {
    await writesAndReads(logOf(ports.tls, { ssl: { ca: [server!.cert], cert: client!.cert, key: client!.key } }));
  });

  it('is not trusted with a certificate of somebody else, nor trusts one', async () => {
    await refused(logOf(ports.tls, { ssl: { ca: [stranger!.cert], cert: client!.cert, key: client!.key } }));
    await refused(logOf(ports.tls, { ssl: { ca: [server!.cert], cert: stranger!.cert, key: stranger!.key } }));
    await refused(logOf(ports.tls, { ssl: { ca: [server!.cert] } }));
  });

  it('is LOG_REFUSED when one side speaks TLS and the other does not', async () => {
    await refused(logOf(ports.tls, {}));
  });

  it('says what to look at when nobody logs in where a login is wanted', async () => {
    const log = logOf(ports.sasl, {});
    await expect(log.open()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await log.close();
  });
});
