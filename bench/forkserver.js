/**
 * What a fork of the template costs: time from start to exit, a child's own memory, and two hundred children at once. A tool of its
 * own:
 *
 *   node bench/forkserver.js [--rounds N]
 *
 * With `node --single-threaded --v8-pool-size=1 bench/forkserver.js` also what a fork of this very program costs.
 * The template has preloaded `typescript`. Contenders take turns within a round; the tables have medians.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getAllStartMethods, Process } from 'multiprocess';
import { forkserver } from 'multiprocess/forkserver';
import { median } from './harness/statistics.js';

const at = process.argv.indexOf('--rounds');
const rounds = at < 0 ? 51 : Number(process.argv[at + 1]);
const empty = new URL('./peers/empty-target.js', import.meta.url);
const idle = new URL('./peers/idle-target.js', import.meta.url);
const factor = 3;

forkserver.setForkserverPreload(['typescript']);

const child = async (target, options) => (await new Process(target, options).start()).exited;
const node = (...args) =>
  new Promise((resolve) => {
    spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }).on('exit', resolve);
  });

const contenders = {
  'forkserver, a module': () => child(empty, { context: 'forkserver' }),
  'forkserver, a closure': () => child((x) => x * factor, { args: [1], context: 'forkserver' }),
  ...(getAllStartMethods().includes('fork')
    ? { 'fork, a closure': () => child((x) => x * factor, { args: [1], context: 'fork' }) }
    : {}),
  'spawn, a module': () => child(empty, { context: 'spawn' }),
  'node -e 0': () => node('-e', '0'),
};

console.log(`Node ${process.version}, ${rounds} rounds`);
const names = Object.keys(contenders);
const times = Object.fromEntries(names.map((name) => [name, []]));
for (let round = -1; round < rounds; round++) {
  for (let i = 0; i < names.length; i++) {
    const name = names[(i + round + 1) % names.length];
    const began = performance.now();
    await contenders[name]();
    if (round >= 0) times[name].push(performance.now() - began);
  }
}
const ours = times[names[0]];
console.log('\n## start to exit\n\n| | ms | by ours | target |\n|---|---|---|---|');
for (const name of names) {
  const ratio = median(times[name].map((time, i) => time / ours[i]));
  const target = name === names[0] ? '10 ms' : name.startsWith('spawn') ? '8x' : '-';
  console.log(`| ${name} | ${median(times[name]).toFixed(1)} | ${ratio.toFixed(1)}x | ${target} |`);
}

/** Kilobytes that only this process has: its own, and written. */
const dirty = (pid) => Number(/^Private_Dirty:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

console.log(
  '\n## memory of an idle child of its own (Private_Dirty, MB)\n\n| | at 0.5 s | at 10 s | target |\n|---|---|---|---|',
);
for (const context of getAllStartMethods().filter((method) => method !== 'thread')) {
  const one = await new Process(idle, { context }).start();
  await pause(500);
  const early = dirty(one.pid);
  await pause(9_500);
  console.log(
    `| ${context} | ${(early / 1024).toFixed(1)} | ${(dirty(one.pid) / 1024).toFixed(1)} | ${context === 'spawn' ? '-' : '4'} |`,
  );
  one.kill();
  await one.exited;
}

const began = performance.now();
const many = await Promise.all(Array.from({ length: 200 }, () => new Process(idle, { context: 'forkserver' }).start()));
const started = performance.now();
const alive = many.filter((one) => one.isAlive()).length;
const own = median(many.map((one) => dirty(one.pid))) / 1024;
for (const one of many) one.terminate();
await Promise.all(many.map((one) => one.join()));
console.log(
  `\n## 200 children at once\n\n${alive} alive after ${((started - began) / 1000).toFixed(2)} s, ${own.toFixed(1)} MB of its own each (median); all joined ${((performance.now() - started) / 1000).toFixed(2)} s later`,
);
await forkserver.stop();
