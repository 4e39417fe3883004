import { isDeepStrictEqual } from 'node:util';
import { buildCase, type Case, type CaseOutput } from './cases.ts';

export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'not-built' }
  | { readonly kind: 'failed'; readonly why: string };

/** What a case may do after each record besides going on. */
export type Disturbance = (index: number) => 'none' | 'commit' | 'restart';

/** Runs a case and compares what came out, by which record, in which order, and how many records were dropped. */
export function judge(one: Case, disturb: Disturbance = () => 'none'): Verdict {
  const pipeline = buildCase(one);
  if (pipeline === null) return { kind: 'not-built' };
  const outputs: CaseOutput[] = [];
  for (const [after, input] of one.inputs.entries()) {
    for (const output of pipeline.push(input)) outputs.push({ after, ...output });
    const disturbance = disturb(after);
    if (disturbance === 'restart') pipeline.restart();
    if (disturbance === 'commit') pipeline.commit();
  }
  const wanted = one.outputs;
  const count = Math.max(outputs.length, wanted.length);
  for (let at = 0; at < count; at += 1) {
    if (!isDeepStrictEqual(outputs[at], wanted[at])) {
      return { kind: 'failed', why: `output ${at}: wanted ${JSON.stringify(wanted[at])}, got ${JSON.stringify(outputs[at])}` };
    }
  }
  if (pipeline.dropped !== one.dropped) return { kind: 'failed', why: `dropped: wanted ${one.dropped}, got ${pipeline.dropped}` };
  return { kind: 'passed' };
}
