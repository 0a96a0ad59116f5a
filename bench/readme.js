/**
 * Writes the figures of README.md, between its marks, with machine, date and commit:
 *
 *   npm run bench:readme [-- --rounds N] [--quick] [--rows]
 *
 * `--rows` writes only when not to use it. The figures are those of `npm run bench` (run.js) and of pays.js, which this runs. Run it on a machine that does nothing else.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const {
  rounds,
  quick,
  rows: onlyRows,
} = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    rows: { type: 'boolean', default: false },
  },
}).values;

/** Columns, by the contenders of run.js that they show the best configuration of. */
const COLUMNS = {
  multiprocess: ['ours'],
  ThreadPool: ['threads'],
  piscina: ['piscina'],
  poolifier: ['poolifier'],
  tinypool: ['tinypool'],
  '`worker_threads`': ['raw'],
};
/** Rows: the benchmark, its metric, and what README calls it. */
const ROWS = [
  ['apply', 'no-op, 256 in flight', 'no-op calls/s, 256 at a time'],
  ['latency', 'p50', 'one call at a time, µs'],
  ['imap', 'for await', 'items/s of a stream, `for await`'],
  ['cpu', 'speed-up of map', 'CPU-bound work, 2 workers against 1'],
  ['payload', '1 MiB echo', 'echo of 1 MiB, MB/s'],
];

const thousands = (value) =>
  value >= 1000
    ? Number(value.toPrecision(3)).toLocaleString('en')
    : Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 2 });

function cell(rows, metric, contenders) {
  const found = rows.filter((row) => row.metric === metric && contenders.includes(row.entry.contender) && row.median);
  const [best] = found.sort((a, b) => (isLower(metric) ? a.median - b.median : b.median - a.median));
  return best === undefined ? '–' : thousands(best.median);
}
const isLower = (metric) => metric === 'p50';
const line = (cells) => `| ${cells.join(' | ')} |`;

const git = (...each) => execFileSync('git', each, { cwd: root, encoding: 'utf8' }).trim();

function when() {
  const changed = git('status', '--porcelain') === '' ? '' : ' and changes';
  return `${new Date().toISOString().slice(0, 10)}, commit ${git('rev-parse', '--short=9', 'HEAD')}${changed}`;
}

/** The table of peers, as run.js measures it, and what it was measured on. */
function peers() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-readme-'));
  const json = join(folder, 'bench.json');
  const names = [...new Set(ROWS.map(([name]) => name))];
  const words = [...names, '--rounds', rounds, '--json', json, ...(quick ? ['--quick'] : [])];
  execFileSync(process.execPath, [join(root, 'bench/run.js'), ...words], { stdio: 'inherit' });
  const { machine, benchmarks } = JSON.parse(readFileSync(json, 'utf8'));
  rmSync(folder, { recursive: true });
  const table = ROWS.map(([name, metric, title]) => {
    const { rows } = benchmarks.find((each) => each.name === name);
    return line([title, ...Object.values(COLUMNS).map((contenders) => cell(rows, metric, contenders))]);
  });
  const versions = ['piscina', 'poolifier', 'tinypool'].map((name) => `${name} ${machine.versions[name]}`).join(', ');
  const kind = `Medians of ${rounds}${quick ? ' short' : ''} alternating rounds, 2 workers each, peers in their best configuration`;
  return [
    line(['', ...Object.keys(COLUMNS)]),
    line(['---', ...Object.keys(COLUMNS).map(() => '---:')]),
    ...table,
    '',
    `${kind}: ${machine.cpu},`,
    `${machine.cpus} CPUs, Node ${machine.node}, ${versions}; ${when()}.`,
  ].join('\n');
}

/** The table of pays.js about rows that come back. */
function rows() {
  const printed = execFileSync(process.execPath, [join(root, 'bench/pays.js'), '--rounds', rounds], {
    encoding: 'utf8',
  });
  const table = printed.slice(printed.indexOf(' CSV files of ')).split('\n\n')[1].trim();
  const [machine] = printed.split('\n');
  return `${table}\n\nProcessor time; the busiest worker's. ${machine}; ${when()}.`;
}

const file = join(root, 'README.md');
for (const [mark, measure] of Object.entries(onlyRows ? { rows } : { figures: peers, rows })) {
  const written = measure();
  const block = new RegExp(`(<!-- ${mark}: .*? -->\n)[^]*?(<!-- /${mark} -->)`);
  const text = readFileSync(file, 'utf8');
  if (!block.test(text)) throw new Error(`README.md has no marks for its ${mark}.`);
  writeFileSync(
    file,
    text.replace(block, (_, begin, end) => `${begin}${written}\n${end}`),
  );
}
