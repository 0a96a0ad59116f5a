/** Markdown out of rows, and the line about the machine. */
import { readFileSync } from 'node:fs';
import os from 'node:os';

const HEAD = ['measurement', 'contender', 'median', 'min', 'max', 'ours / contender', 'target', ''];

export function table(rows) {
  const cells = rows.map((row) => [
    `${row.metric}, ${row.unit}`,
    row.entry.label + (row.failed > 0 ? ` (failed in ${row.failed})` : ''),
    figure(row.median),
    figure(row.min),
    figure(row.max),
    row.ratio === undefined ? '' : `${figure(row.ratio)}x`,
    row.target ?? '',
    row.target === undefined ? '' : row.reached ? 'reached' : '**not reached**',
  ]);
  const widths = HEAD.map((head, i) => Math.max(head.length, ...cells.map((line) => line[i].length)));
  const right = (i) => i >= 2 && i <= 5;
  const line = (values) =>
    `| ${values.map((v, i) => (right(i) ? v.padStart(widths[i]) : v.padEnd(widths[i]))).join(' | ')} |`;
  const rule = widths.map((width, i) => (right(i) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(HEAD), line(rule), ...cells.map(line)].join('\n');
}

/** Three significant digits, and thousands apart. */
function figure(value) {
  if (value === undefined) return '-';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
  return value.toPrecision(3).replace(/\.0+$/, '');
}

export function machine(cpus) {
  const [cpu] = os.cpus();
  return {
    cpu: cpu?.model.trim(),
    cpus: os.cpus().length,
    usable: cpus === undefined ? os.availableParallelism() : `those of ${cpus}`,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    versions: Object.fromEntries([
      ['multiprocess', versionOf('../../package.json')],
      ...['piscina', 'poolifier', 'tinypool'].map((name) => [
        name,
        versionOf(`../../node_modules/${name}/package.json`),
      ]),
    ]),
  };
}

export function machineLine({ cpu, cpus, usable, memory, system, node, versions }) {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${cpu}, ${cpus} CPUs (usable: ${usable}), ${memory}, ${system}; Node ${node}; ${packages.join(', ')}`;
}

function versionOf(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version;
}
