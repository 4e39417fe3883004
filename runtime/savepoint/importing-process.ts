import { json, utf8 } from '../../schemas/builtin-codecs.ts';
import { keyValueStore } from '../../state/local/key-value-store.ts';
import type { StreamRecord } from '../../operators/operator.ts';
import { statefulOperator } from '../../operators/stateful-operator.ts';
import { LmdbStateStore } from '../../state/lmdb-state-store.ts';
import { Topology } from '../../topology/topology.ts';
import { importSavepoint } from './import-savepoint.ts';

/** Keeps the last value of each key. */
export function lasts(): Topology {
  const topology = new Topology('lasts');
  topology.stream('in', { key: utf8, value: json<number>() }).pipe(statefulOperator({
    name: 'last', stores: { last: keyValueStore({ name: 'last', key: utf8, value: json<number>() }) },
    process: ({ key, value }: StreamRecord<string, number>, { stores }) => { stores.last.put(key, value); },
  }));
  return topology;
}

/** Imports a savepoint into LMDB and kills itself at a commit: `node importing-process.ts <file> <folder> <n-th commit>`. */
async function importAndDie(file: string, path: string, commitMax: number): Promise<void> {
  const store = new LmdbStateStore({ path });
  await store.open();
  let commits = 0;
  const commit = store.commit.bind(store);
  store.commit = async (wanted) => {
    const outcome = await commit(wanted);
    if (++commits === commitMax) process.kill(process.pid, 'SIGKILL');
    return outcome;
  };
  await importSavepoint({ file, store, application: 'test', topology: lasts(), commitCellsMax: 10 });
  await store.close();
}

if (import.meta.main) {
  const [file = '', path = '', commitMax = '0'] = process.argv.slice(2);
  await importAndDie(file, path, Number(commitMax));
}
