/**
 * What the import of this library costs a program that tsx runs: CPU above that of an empty file, in ms. It should stay below 200.
 *
 *   node bench/tsx-import.js [rounds]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median } from './harness/statistics.js';

const folder = fileURLToPath(new URL('../.build/tsx-import/', import.meta.url));
const rounds = Number(process.argv[2] ?? 7);
const told = 'const { user, system } = process.cpuUsage(); console.log((user + system) / 1000);\n';
const programs = {
  'empty.mts': 'export {};',
  'import.mts': "import 'multiprocess';",
  'require.cts': "require('multiprocess');",
};

mkdirSync(folder, { recursive: true });
for (const [name, code] of Object.entries(programs)) writeFileSync(folder + name, `${code}\n${told}`);
const times = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const name of Object.keys(programs)) {
    times[name].push(
      Number(
        execFileSync(process.execPath, ['--import', import.meta.resolve('tsx'), folder + name], { encoding: 'utf8' }),
      ),
    );
  }
}
const empty = median(times['empty.mts']);
for (const [name, all] of Object.entries(times))
  console.log(`${name.padEnd(12)} ${median(all).toFixed(0)} ms, ${(median(all) - empty).toFixed(0)} above`);
