import { joinGlobalTable, leftJoinGlobalTable } from '../../../operators/join-global-table.ts';
import { joinTable, leftJoinTable } from '../../../operators/join-table.ts';
import { utf8 } from '../../../schemas/builtin-codecs.ts';
import { textOutput, type Case, type CaseBuilder, type Family, type Text } from '../case.ts';

interface TableJoinCase extends Case {
  readonly op: 'stream-table-join' | 'table-table-join' | 'stream-globaltable-join';
  readonly join: 'inner' | 'left' | 'outer';
}

const words = { key: utf8, value: utf8 };
const both = (left: Text, right: Text): string => `${left}+${right}`;

export const tableJoin: Family = {
  ops: ['stream-table-join', 'table-table-join', 'stream-globaltable-join'],
  build(one: TableJoinCase, builder: CaseBuilder): void {
    switch (one.op) {
      case 'table-table-join': return tables(one, builder);
      case 'stream-table-join': return streamAndTable(one, builder);
      case 'stream-globaltable-join': return streamAndGlobalTable(one, builder);
    }
  },
};

function tables({ join }: TableJoinCase, { topology, output }: CaseBuilder): void {
  const left = topology.table('left', words);
  const right = topology.table('right', words);
  switch (join) {
    case 'inner': return output(left.join(right, both).toStream(), textOutput);
    case 'left': return output(left.leftJoin(right, both).toStream(), textOutput);
    case 'outer': return output(left.outerJoin(right, both).toStream(), textOutput);
  }
}

function streamAndTable({ join }: TableJoinCase, { topology, output }: CaseBuilder): void {
  const right = topology.table('right', words);
  const left = topology.stream<Text, Text>('left', words as never);
  if (join === 'left') output(left.pipe(leftJoinTable<Text, Text, string, string>('join', right, both)), textOutput);
  else output(left.pipe(joinTable<string, string, string, string>('join', right, both)), textOutput);
}

function streamAndGlobalTable({ join }: TableJoinCase, { topology, output }: CaseBuilder): void {
  const right = topology.globalTable('right', words);
  const left = topology.stream<Text, Text>('left', words as never);
  const byValue = (value: string): string => value;
  if (join === 'left') output(left.pipe(leftJoinGlobalTable<Text, Text, string, string, string>(right, byValue, both)), textOutput);
  else output(left.pipe(joinGlobalTable<Text, Text, string, string, string>(right, byValue, both)), textOutput);
}
