// The live page: asks /api/status once a second and shows it. All text goes in as text, never as HTML.
const byId = (id) => document.getElementById(id);
const count = new Intl.NumberFormat('en');
const samples = [];
const secondsShown = 120;

function element(name, text, className = '') {
  const made = document.createElement(name);
  made.textContent = text ?? '';
  if (className) made.className = className;
  return made;
}

function duration(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${(seconds / 3600).toFixed(1)} h` : `${Math.round(seconds / 86_400)} days`;
}

function fillTable(table, columns, rows) {
  const head = document.createElement('tr');
  const numeric = columns.map((_, index) => rows.length > 0 && rows.every((row) => row[index] === null || typeof row[index] === 'number'));
  columns.forEach((column, index) => head.append(element('th', column, numeric[index] ? 'number' : '')));
  const lines = rows.map((row) => {
    const line = document.createElement('tr');
    row.forEach((cell, index) => {
      line.append(element('td', typeof cell === 'number' ? count.format(cell) : cell, numeric[index] ? 'number' : ''));
    });
    return line;
  });
  table.replaceChildren(head, ...lines);
}

function showRate(status) {
  samples.push({ ms: status.nowMs, records: status.totals.sourceRecords, lag: status.totals.lagRecords });
  if (samples.length > secondsShown) samples.shift();
  const rates = samples.slice(1).map((sample, index) =>
    Math.max(0, (sample.records - samples[index].records) * 1000 / Math.max(1, sample.ms - samples[index].ms)));
  byId('rate').textContent = count.format(Math.round(rates.at(-1) ?? 0));
  const highest = Math.max(1, ...rates);
  const points = rates.map((rate, index) => `${(240 - (rates.length - 1 - index) * 240 / (secondsShown - 1)).toFixed(1)},${(46 - 44 * rate / highest).toFixed(1)}`);
  byId('chart').firstElementChild.setAttribute('d', points.length > 1 ? `M${points.join('L')}` : '');
  const first = samples[0];
  const falling = (first.lag - status.totals.lagRecords) / Math.max(1, status.nowMs - first.ms);
  byId('left').textContent = status.totals.lagRecords > 0 && falling > 0 ? `${duration(status.totals.lagRecords / falling)} left` : '';
}

function show(status) {
  const { totals } = status;
  document.title = `${status.application} – voltstream`;
  byId('application').textContent = status.application;
  const ready = status.notReadyBecause.length === 0;
  byId('state').textContent = ready ? 'ready' : 'not ready';
  byId('state').dataset.state = ready ? 'ready' : 'wait';
  byId('reasons').hidden = ready;
  byId('reasons').replaceChildren(...status.notReadyBecause.map((reason) => element('div', reason)));
  showRate(status);
  for (const [id, value] of [['lag', totals.lagRecords], ['records', totals.sourceRecords], ['delivered', totals.deliveredRows],
    ['outbox', totals.outboxRows], ['late', totals.lateRecords], ['dead', totals.deadLetters], ['entries', totals.stateEntries]]) {
    byId(id).textContent = count.format(value);
  }
  byId('dead').className = totals.deadLetters > 0 ? 'warn' : '';
  byId('figures').replaceChildren(...status.figures.map(({ label, text }) => {
    const card = document.createElement('article');
    card.append(element('h2', label), element('p', text));
    return card;
  }));
  byId('tables').replaceChildren(...status.tables.map(({ title, columns, rows }) => {
    const section = document.createElement('section');
    const scroll = element('div', '', 'scroll');
    const table = document.createElement('table');
    fillTable(table, columns, rows);
    scroll.append(table);
    section.append(element('h2', title), scroll);
    return section;
  }));
  fillTable(byId('tasks'), ['task', 'lag', 'stream time', 'state'], status.tasks.map((task) => [
    task.task, task.lagRecords, task.streamTimeMs < 0 ? 'none yet' : new Date(task.streamTimeMs).toISOString().slice(0, 19).replace('T', ' '),
    task.pausedBy ?? 'running',
  ]));
  byId('uptime').textContent = `up ${duration(status.nowMs - status.startedAtMs)}`;
}

async function look() {
  try {
    const response = await fetch('api/status');
    if (!response.ok) throw new Error(`status ${response.status}`);
    show(await response.json());
  } catch {
    byId('state').textContent = 'no answer';
    byId('state').dataset.state = 'wait';
  }
  setTimeout(look, document.hidden ? 5000 : 1000);
}

look();
