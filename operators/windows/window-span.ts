import { VoltstreamError } from '../../errors.ts';

export interface WindowSpan {
  readonly startMs: number;
  readonly endMs: number;
}

export function wantMilliseconds(where: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new VoltstreamError('TOPOLOGY_INVALID', `${name} is not a length of time`, {
    where, wanted: 'whole milliseconds, 0 or more', got: String(value),
  });
}

export function wantPositive(where: string, name: string, value: number): void {
  wantMilliseconds(where, name, value);
  if (value > 0) return;
  throw new VoltstreamError('TOPOLOGY_INVALID', `${name} is 0`, { where, wanted: '1 millisecond or more', got: '0' });
}
