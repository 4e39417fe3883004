import { utf8 } from '../../../schemas/builtin-codecs.ts';
import { textOutput, type Case, type CaseBuilder, type Family, type Text } from '../case.ts';

interface ForeignKeyJoinCase extends Case {
  readonly op: 'foreign-key-join';
  readonly join: 'inner' | 'left';
}

const words = { key: utf8, value: utf8 };
const forms = { key: utf8, value: utf8, foreignKey: utf8, foreignValue: utf8, result: utf8 };
const both = (left: string, right: Text): string => `${left}+${right}`;

export const foreignKeyJoin: Family = {
  ops: ['foreign-key-join'],
  unordered: true,
  build({ join }: ForeignKeyJoinCase, { topology, output }: CaseBuilder): void {
    const left = topology.table('left', words);
    const right = topology.table('right', words);
    const upToTheBar = (value: string): string => value.slice(0, value.indexOf('|'));
    const joined = join === 'left'
      ? left.leftForeignKeyJoin('joined', right, upToTheBar, both, forms) : left.foreignKeyJoin('joined', right, upToTheBar, both, forms);
    output(joined.toStream(), textOutput);
  },
};
