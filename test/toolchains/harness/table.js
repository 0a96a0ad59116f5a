/** Writes the table of a run into docs/toolchains.md, between its two marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { tableFile } from './places.js';

const BEGIN = '<!-- written by npm run test:toolchains -->';
const END = '<!-- end of what is written -->';

function cell(result) {
  if (result === undefined) return '';
  return `${result.passed}/${result.total}`;
}

function time({ timing } = {}) {
  return timing === undefined
    ? ''
    : `${Math.round(timing.first)} / ${timing.next.toFixed(1)} / ${timing.known.toFixed(2)}`;
}

function noteLines(rows, nodes, kind, format) {
  const lines = new Map();
  for (const { host, results } of rows) {
    for (const node of nodes) {
      for (const each of results.get(node)?.[kind] ?? []) {
        const line = format(each);
        const where = `${host.name} (${node.major})`;
        lines.set(line, [...(lines.get(line) ?? []), where]);
      }
    }
  }
  return [...lines].map(([line, hosts]) => `- ${line}: ${mergeNodes(hosts).join('; ')}`);
}

/** "tsx (20)", "tsx (26)" -> "tsx". */
function mergeNodes(hosts) {
  const names = [...new Set(hosts.map((each) => each.replace(/ \(\d+\)$/, '')))];
  return names.map((name) => {
    const of = hosts.filter((each) => each.replace(/ \(\d+\)$/, '') === name);
    return of.length > 1 ? name : of[0];
  });
}

export function writeTable(rows, nodes) {
  const head = ['host', ...nodes.map(({ major }) => `Node ${major}`), `closures on Node ${nodes[0].major}, ms`];
  const lines = [
    `| ${head.join(' | ')} |`,
    `|${'---|'.repeat(head.length)}`,
    ...rows.map(({ host, results }) => {
      const cells = nodes.map((node) => cell(results.get(node)));
      return `| ${[host.name, ...cells, time(results.get(nodes[0]) ?? results.get(nodes.at(-1)))].join(' | ')} |`;
    }),
  ];
  const refused = noteLines(rows, nodes, 'refused', ({ name, code, why }) => `${name}, \`${code}\`: ${why}`);
  const known = noteLines(rows, nodes, 'known', ({ name, why }) => `${name}: ${why}`);
  // Hosts that did not run now keep what they did before.
  const day = new Date().toISOString().slice(0, 10);
  const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} CPUs`;
  const parts = [`Last written by \`npm run test:toolchains\` on ${day}: ${machine}.`, lines.join('\n')];
  if (refused.length > 0) parts.push('Refused by design:', refused.join('\n'));
  if (known.length > 0) parts.push('Known to fail:', known.join('\n'));
  const text = readFileSync(tableFile, 'utf8');
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${tableFile} has lost the marks of its table`);
  writeFileSync(tableFile, `${before}${BEGIN}\n\n${parts.join('\n\n')}\n\n${END}${after}`);
}
