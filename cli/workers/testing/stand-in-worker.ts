/** Stands in for `run --worker`: an HTTP server that is ready after a moment. What it does is its second argument. */
import { createServer } from 'node:http';

const [, , name = '', behaviour = 'serve'] = process.argv;
if (behaviour === 'die') {
  process.stderr.write('no configuration fits\n');
  process.exit(1);
}

const answers: Readonly<Record<string, string>> = {
  '/ready': JSON.stringify({ ready: behaviour !== 'unready', reasons: behaviour === 'unready' ? ['memory is full'] : [] }),
  '/metrics': `# HELP a Help.\n# TYPE a counter\na{b="c"} ${name === 'w1' ? 1 : 2}\n`,
  '/api/status': JSON.stringify({
    application: 'city', nowMs: 0, startedAtMs: 0, figures: [{ label: 'from', text: name }], tables: [],
    totals: { sourceRecords: 1, deliveredRows: 2, lateRecords: 3, deadLetters: 4, lagRecords: 5, outboxRows: 6, stateEntries: 7 },
    tasks: [{ task: 'main_0', lagRecords: 0, streamTimeMs: 0, pausedBy: null }],
  }),
};
const server = createServer((request, response) => response.end(answers[request.url ?? ''] ?? ''));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ kind: 'listening', url: `http://127.0.0.1:${address.port}` });
});
process.stderr.write(`${JSON.stringify({ msg: 'alive', worker: name })}\n`);
process.on('SIGTERM', () => {
  if (behaviour === 'stubborn') return;
  process.stderr.write(`${JSON.stringify({ msg: 'stopped', worker: name })}\n`);
  process.exit(0);
});
process.on('disconnect', () => process.exit(0));
