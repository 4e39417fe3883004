import { parseDocument } from 'yaml';

/** The value of a YAML or JSON text, or what is wrong with it in the parser's words, with line and column. */
export function readYaml(text: string): { readonly value: unknown } | { readonly problem: string } {
  const document = parseDocument(text);
  const [error] = document.errors;
  return error === undefined ? { value: document.toJS() as unknown } : { problem: error.message.split('\n')[0] ?? error.code };
}
