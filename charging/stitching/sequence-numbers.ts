/** Sequence numbers that were seen, as ascending pairs from-to (inclusive) one behind the other. Changed in place by its owner. */
export type SequenceNumbers = number[];

/** More gaps than this are not those of a real transaction; the two lowest spans are then taken for one. */
export const sequenceSpansMax = 256;

export function hasNumber(seen: SequenceNumbers, seqNo: number): boolean {
  for (let at = seen.length - 2; at >= 0; at -= 2) {
    if (seqNo > (seen[at + 1] as number)) return false;
    if (seqNo >= (seen[at] as number)) return true;
  }
  return false;
}

/** Puts in a number that is not in it. */
export function addNumber(seen: SequenceNumbers, seqNo: number): void {
  const end = seen.length;
  if (end > 0 && seen[end - 1] === seqNo - 1) {
    seen[end - 1] = seqNo;
    return;
  }
  let at = end;
  while (at > 0 && (seen[at - 2] as number) > seqNo) at -= 2;
  const joinsBefore = at > 0 && seen[at - 1] === seqNo - 1;
  const joinsBehind = at < end && seen[at] === seqNo + 1;
  if (joinsBefore && joinsBehind) seen.splice(at - 1, 2);
  else if (joinsBefore) seen[at - 1] = seqNo;
  else if (joinsBehind) seen[at] = seqNo;
  else seen.splice(at, 0, seqNo, seqNo);
  if (seen.length > 2 * sequenceSpansMax) seen.splice(1, 2);
}

/** How many are missing between those that were seen. */
export function numbersMissing(seen: SequenceNumbers): number {
  let missing = 0;
  for (let at = 2; at < seen.length; at += 2) missing += (seen[at] as number) - (seen[at - 1] as number) - 1;
  return missing;
}
