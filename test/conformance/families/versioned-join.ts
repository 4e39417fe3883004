import { joinTable, leftJoinTable } from '../../../operators/join-table.ts';
import { utf8 } from '../../../schemas/builtin-codecs.ts';
import { textOutput, type Case, type CaseBuilder, type Family, type Text } from '../case.ts';

interface VersionedJoinCase extends Case {
  readonly op: 'versioned-stream-table-join';
  readonly join: 'inner' | 'left';
  readonly historyRetentionMs: number;
  readonly graceMs: number;
}

export const versionedJoin: Family = {
  ops: ['versioned-stream-table-join'],
  build(one: VersionedJoinCase, { topology, output }: CaseBuilder): void {
    const words = { key: utf8, value: utf8 };
    const table = topology.table('right', words, { historyMs: one.historyRetentionMs });
    const left = topology.stream<Text, Text>('left', words as never);
    const concatenate = (value: string, right: string | null): string => `${value}+${right}`;
    const grace = { graceMs: one.graceMs, key: utf8, value: utf8 };
    if (one.join === 'left') output(left.pipe(leftJoinTable<Text, Text, string, string>('join', table, concatenate, grace)), textOutput);
    else output(left.pipe(joinTable<string, string, string, string>('join', table, concatenate, grace)), textOutput);
  },
};
