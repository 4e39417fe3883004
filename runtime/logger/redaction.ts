import { settingEntries } from '../configuration/paths.ts';

/** Shorter ones would blank half of every text; they are still left out of settings and URLs by name and place. */
const secretLengthMin = 4;

/** User information of any URL, also with an `@` in the password. */
const userInformation = /\/\/[^\s/"'<>]*@/g;
/** Values of query parameters whose names say what they are. */
const secretParameter = /([?&][A-Za-z_-]*(?:password|secret|token|authorization|api-?key)=)[^&\s"'<>]+/gi;

/** What takes secrets out of text that leaves the process. */
export interface Redaction {
  text(text: string): string;
}

/**
 * Takes these values out of any text, in every form in which they may stand there: as they are, escaped for a URL or for JSON, and in base64
 * as HTTP's basic authorization has them. User information in URLs, and query parameters with a telling name, go whether they are known or not.
 */
export function redactionOf(secrets: readonly string[]): Redaction {
  const forms = new Set(secrets.filter((secret) => secret.length >= secretLengthMin).flatMap(formsOf));
  const known = [...forms].sort((a, b) => b.length - a.length);
  return {
    text(text) {
      let clean = text;
      for (const form of known) if (clean.includes(form)) clean = clean.replaceAll(form, '***');
      return clean.replaceAll(userInformation, '//***@').replaceAll(secretParameter, '$1***');
    },
  };
}

function formsOf(secret: string): readonly string[] {
  const quoted = JSON.stringify(secret).slice(1, -1);
  return [secret, quoted, JSON.stringify(quoted).slice(1, -1), encodeURIComponent(secret), encodeURI(secret)];
}

/** The secret values of a configuration: those of secret settings, and user information and queries of URLs. */
export function secretsOf(configuration: object): readonly string[] {
  const secrets: string[] = [];
  for (const { path, setting } of settingEntries) {
    if (setting.secrecy === 'open') continue;
    let value: unknown = configuration;
    for (const name of path.split('.')) value = (value as Readonly<Record<string, unknown>> | undefined)?.[name];
    if (typeof value !== 'string' || value === '') continue;
    if (setting.secrecy === 'secret') secrets.push(value);
    else secrets.push(...secretsInUrl(value));
  }
  return secrets;
}

function secretsInUrl(text: string): readonly string[] {
  if (!URL.canParse(text)) return [];
  const url = new URL(text);
  const { username, password, search } = url;
  if (password === '' && search === '') return [];
  const plain = [decode(username), decode(password)] as const;
  return [
    password, plain[1], ...(password === '' ? [] : [Buffer.from(plain.join(':')).toString('base64')]),
    ...url.searchParams.values(),
  ];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text; // a lone percent sign: the text is what it says
    throw error;
  }
}
