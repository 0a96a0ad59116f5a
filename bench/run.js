/**
 * Runs the benchmarks and prints a table for each. See README.md.
 *
 *   npm run bench [-- NAME…] [--rounds N] [--seconds N] [--cpus LIST] [--quick] [--json FILE] [--strict]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchmarks } from './benchmarks.js';
import { machine, machineLine, table } from './harness/report.js';
import { play } from './harness/rounds.js';
import { judge } from './harness/verdict.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    cpus: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    strict: { type: 'boolean', default: false },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(benchmarks);
for (const name of names) {
  if (benchmarks[name] === undefined)
    fail(`unknown benchmark '${name}'; there are ${Object.keys(benchmarks).join(', ')}`);
}
const rounds = count('rounds');
const seconds = count('seconds');

const host = machine(flags.cpus);
console.log(machineLine(host));

const report = [];
for (const name of names) {
  const benchmark = await benchmarks[name]();
  const settings = {
    ...benchmark.settings,
    ...(flags.quick ? benchmark.quick : {}),
    ...(seconds === undefined ? {} : { seconds }),
  };
  const played = await play(name, benchmark, settings, {
    rounds: rounds ?? benchmark.rounds ?? 5,
    cpus: flags.cpus,
    say,
  });
  say('');
  const rows = judge(benchmark, played);
  console.log(`\n## ${name}: ${benchmark.title}\n\n${table(rows)}`);
  report.push({ name, settings, rows, rounds: played.rounds });
}
if (flags.json !== undefined)
  writeFileSync(flags.json, `${JSON.stringify({ machine: host, benchmarks: report }, null, 2)}\n`);

const missed = report.flatMap(({ rows }) => rows).filter((row) => row.target !== undefined && !row.reached);
console.log(missed.length === 0 ? '\nAll targets reached.' : `\n${missed.length} target(s) not reached.`);
if (flags.strict && missed.length > 0) process.exitCode = 1;

function count(option) {
  if (flags[option] === undefined) return undefined;
  const value = Number(flags[option]);
  if (!Number.isInteger(value) || value < 1) fail(`--${option} must be a whole number of at least 1`);
  return value;
}

function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(2);
}

/** Progress, on one line of a terminal; only what is kept goes to a file. */
function say(message, keep = false) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${message}${keep ? '\n' : ''}`);
  else if (keep) process.stderr.write(`${message}\n`);
}
