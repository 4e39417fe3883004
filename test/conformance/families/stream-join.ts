import { joinStream, leftJoinStream, outerJoinStream } from '../../../operators/join-stream.ts';
import { utf8 } from '../../../schemas/builtin-codecs.ts';
import { textOutput, type Case, type CaseBuilder, type Family, type Text } from '../case.ts';

interface StreamJoinCase extends Case {
  readonly op: 'stream-stream-join';
  readonly join: 'inner' | 'left' | 'outer';
  readonly window: { readonly beforeMs: number; readonly afterMs: number; readonly graceMs: number };
}

const words = { key: utf8, value: utf8 };
const both = (left: Text, right: Text): string => `${left}+${right}`;

export const streamJoin: Family = {
  ops: ['stream-stream-join'],
  build(one: StreamJoinCase, { topology, output }: CaseBuilder): void {
    const left = topology.stream<Text, Text>('left', words as never);
    const right = topology.stream<Text, Text>('right', words as never);
    const options = { ...one.window, key: utf8, left: utf8, right: utf8 };
    switch (one.join) {
      case 'inner': return output(left.pipe(joinStream<string, Text, Text, string>('join', right, options, both)), textOutput);
      case 'left': return output(left.pipe(leftJoinStream<Text, Text, Text, string>('join', right, options, both)), textOutput);
      case 'outer': return output(left.pipe(outerJoinStream<Text, Text, Text, string>('join', right, options, both)), textOutput);
    }
  },
};
