/**
 * The same program of cases in the bundlers, transpilers, test runners and package managers that people use.
 *
 *   npm run test:toolchains                      every host, on this Node and the newest one
 *   npm run test:toolchains -- --short           those that stand for a kind, as .ci/run does
 *   npm run test:toolchains -- --only tsx        hosts whose name has this in it; may be given several times
 *   … --node FILE                                on this Node instead; may be given several times
 *   … --verbose                                  faults with all their text and stacks
 *   … --prune                                    takes known failures off the list that pass now
 *   … --table                                    writes the table, of what each host did the last time that it ran
 *   … --list                                     the hosts
 *
 * Hosts are installed into .build/toolchains, with the versions of versions.json, once. A host's file in hosts/ says how it is set up and
 * run, and which cases are refused in it by design, with code and reason, or are known to fail. Anything else that differs is a failure.
 * Each run leaves what it found in .build/toolchains/report.json, and beside what other runs found in latest.json; one of all hosts writes
 * its table into docs/toolchains.md.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { execute, prepareWith } from './harness/execute.js';
import { judge } from './harness/judge.js';
import { findNodes } from './harness/nodes.js';
import { writeProgram } from './harness/program.js';
import { writeTable } from './harness/table.js';
import { claimCache, openToolbox } from './harness/toolbox.js';
import { expectationsOf, pruneKnown } from './hosts/support/expected.js';

const MINIMUM_CASES = 42;
const MAX_FAULT_CHARACTERS = 300;
const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    prune: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    node: { type: 'string', multiple: true, default: [] },
    jobs: { type: 'string', default: String(Math.min(cpus().length, 4)) },
  },
});

const families = await Promise.all(
  readdirSync(new URL('hosts/', import.meta.url))
    .filter((name) => name.endsWith('.js'))
    .sort()
    .map((name) => import(`./hosts/${name}`)),
);
const only = options.only?.map((text) => text.toLowerCase());
const chosen = families.flatMap(({ toolbox, hosts }) =>
  hosts
    .filter((host) => only === undefined || only.some((text) => host.name.toLowerCase().includes(text)))
    .filter((host) => only !== undefined || !options.short || host.short !== undefined)
    .map((host) => ({ toolbox, ...host })),
);
if (options.list) {
  for (const { name, short } of chosen) console.log(`${name}${short === undefined ? '' : ' (also in the short form)'}`);
  process.exit();
}
const nodes = findNodes(options.node);

/** On every Node that is given, or in the short form on one of them: those take turns. */
function nodesFor(host, index) {
  const able = nodes.filter(({ major }) => host.supports?.(major) ?? true);
  if (!options.short || host.short === 'both' || able.length < 2) return able;
  return [able[index % able.length]];
}

async function prepare(host) {
  const toolbox = await openToolbox(host.toolbox);
  const name = host.name.replace(/[^\w.+-]+/g, '-').toLowerCase();
  const folder = host.folder?.({ toolbox, name }) ?? `${toolbox}${name}`;
  const bin = (program) => `${toolbox}node_modules/.bin/${program}`;
  const run = (command, more) => prepareWith(command, { cwd: folder, ...more });
  const context = { folder, toolbox, name, bin, run, node: process.execPath };
  await host.install?.(context);
  writeProgram(folder, host.program ?? {});
  if (host.ownModules) execFileSync('cp', ['-al', `${toolbox}node_modules`, `${folder}/node_modules`]);
  await host.prepare?.(context);
  return context;
}

async function runOn(host, node, context) {
  const results = `${context.folder}/results-${node.major}.jsonl`;
  rmSync(results, { force: true });
  const on = { ...context, node: node.file, major: node.major, results };
  await host.prepareOn?.(on);
  const { command, env, ...more } = host.command(on);
  const ended = await execute(command, {
    cwd: context.folder,
    env: { ...env, TOOLCHAIN_RESULTS: results },
    limit: host.limit,
    ...more,
  });
  return judge({ minimum: MINIMUM_CASES, ...host, ...expectationsOf(host, node.major) }, ended, results);
}

function print(host, node, { passed, total, refused, known, timing, faults }, ms) {
  const times =
    timing === undefined ? '' : `, closures ${timing.first} / ${timing.next} / ${timing.known.toFixed(2)} ms`;
  const notes = [
    refused.length > 0 && `${refused.length} refused`,
    known.length > 0 && `${known.length} known to fail`,
  ].filter(Boolean);
  const text = `${passed}/${total}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}${times}`;
  console.log(
    `${faults.length === 0 ? 'ok  ' : 'FAIL'} ${host.name}, Node ${node.version}: ${text}, ${(ms / 1000).toFixed(1)} s`,
  );
  for (const { name, text, stack } of faults) {
    const lines = options.verbose ? `${text}\n${stack ?? ''}`.trim() : text.slice(0, MAX_FAULT_CHARACTERS);
    console.log(`       ${name}: ${lines.replaceAll('\n', '\n         ')}`);
  }
}

/** Written after each run, so that one that is broken off leaves what it found. */
function writeReport() {
  const report = rows.map(({ host, results }) => ({
    host: host.name,
    results: [...results].map(([node, result]) => ({ node: node.version, ...result })),
  }));
  writeFileSync(new URL('../../.build/toolchains/report.json', import.meta.url), JSON.stringify(report, null, 1));
}

const LATEST = new URL('../../.build/toolchains/latest.json', import.meta.url);

/** host -> major version of Node -> what came of its last run. */
function latest() {
  return existsSync(LATEST) ? JSON.parse(readFileSync(LATEST, 'utf8')) : {};
}

function keep({ name }, { major }, result) {
  const all = latest();
  all[name] = { ...all[name], [major]: result };
  writeFileSync(LATEST, JSON.stringify(all, null, 1));
}

/** Rows of all hosts, of runs at any time. */
function latestRows() {
  const all = latest();
  return families.flatMap(({ hosts }) =>
    hosts.map((host) => {
      const found = nodes.flatMap((node) =>
        all[host.name]?.[node.major] === undefined ? [] : [[node, all[host.name][node.major]]],
      );
      return { host, results: new Map(found) };
    }),
  );
}

const rows = chosen.map((host, index) => ({ host, nodes: nodesFor(host, index), results: new Map() }));
const waiting = [...rows];
let failed = 0;

async function work() {
  for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
    const { host, nodes, results } = row;
    let context;
    try {
      context = await prepare(host);
    } catch (error) {
      failed++;
      console.log(`FAIL ${host.name}: cannot be set up: ${error.message}`);
      continue;
    }
    for (const node of nodes) {
      const start = Date.now();
      const result = await runOn(host, node, context).catch((error) => ({
        passed: 0,
        total: 0,
        refused: [],
        known: [],
        stale: [],
        faults: [{ name: 'cannot be set up', text: error.message }],
      }));
      results.set(node, result);
      if (result.faults.length > 0) failed++;
      writeReport();
      keep(host, node, result);
      print(host, node, result, Date.now() - start);
    }
  }
}

claimCache();
const start = Date.now();
await Promise.all([...new Set(chosen.map(({ toolbox }) => toolbox))].map(openToolbox));
console.log(`toolchains are installed, ${Math.round((Date.now() - start) / 1000)} s`);
await Promise.all(Array.from({ length: Number(options.jobs) }, work));
const count = rows.reduce((sum, { results }) => sum + results.size, 0);
console.log(
  `${count} runs of ${rows.length} hosts in ${Math.round((Date.now() - start) / 1000)} s, ${failed} not as expected`,
);
if (options.prune) {
  const passed = rows.flatMap(({ host, results }) =>
    [...results].flatMap(([{ major }, result]) => result.stale.map((name) => ({ host: host.name, major, name }))),
  );
  console.log(
    `${pruneKnown(
      passed,
      nodes.map(({ major }) => major),
    )} entries of the known failures are taken off or narrowed`,
  );
}
if (options.table)
  writeTable(
    latestRows().filter(({ results: found }) => found.size > 0),
    nodes,
  );
else if (!options.short && only === undefined && options.node.length === 0) writeTable(rows, nodes);
process.exitCode = failed === 0 ? 0 : 1;
