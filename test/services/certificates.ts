import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  /** PEM texts. A certificate that signs itself is its own authority. */
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const day = 86_400_000;
/** Object identifiers, as DER. */
const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
const commonName = Buffer.from('0603550403', 'hex');
const basicConstraints = Buffer.from('0603551d13', 'hex');
const alternativeNames = Buffer.from('0603551d11', 'hex');

/** One element of DER: tag, length, content. */
function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length < 128 ? Buffer.of(content.length) : Buffer.of(0x82, content.length >> 8, content.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => element(0x30, ...parts);

function time(ms: number): Buffer {
  return element(0x17, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));
}

function name(text: string): Buffer {
  return sequence(element(0x31, sequence(commonName, element(0x0c, Buffer.from(text)))));
}

/** Makes a certificate for 127.0.0.1 and localhost that signs itself, good for a day, and writes both PEM files into a folder. */
export function selfSigned(folder: string, subject = 'voltstream test'): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const now = Date.now();
  const names = sequence(element(0x82, Buffer.from('localhost')), element(0x87, Buffer.of(127, 0, 0, 1)));
  const extensions = element(0xa3, sequence(
    sequence(basicConstraints, element(0x01, Buffer.of(0xff)), element(0x04, sequence(element(0x01, Buffer.of(0xff))))),
    sequence(alternativeNames, element(0x04, names)),
  ));
  const body = sequence(
    element(0xa0, element(0x02, Buffer.of(2))), element(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])), ecdsaWithSha256, name(subject),
    sequence(time(now - day), time(now + day)), name(subject), publicKey.export({ type: 'spki', format: 'der' }), extensions,
  );
  const whole = sequence(body, ecdsaWithSha256, element(0x03, Buffer.of(0), sign('sha256', body, privateKey)));
  const cert = `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
  const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const stem = subject.replaceAll(/\W+/g, '-');
  const [certFile, keyFile] = [join(folder, `${stem}.crt`), join(folder, `${stem}.key`)];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  return { cert, key, certFile, keyFile };
}
