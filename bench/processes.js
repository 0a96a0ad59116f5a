/**
 * How long a child takes from start to exit, and a pool of 2 to its first result. A tool of its own:
 *
 *   node bench/processes.js [--rounds N]
 *
 * All contenders take turns within a round; the table has medians, and the median of the ratios within the rounds.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Pool, Process } from 'multiprocess';
import { FixedClusterPool } from 'poolifier';
import { median } from './harness/statistics.js';

const at = process.argv.indexOf('--rounds');
const rounds = at < 0 ? 21 : Number(process.argv[at + 1]);
const module = new URL('./peers/empty-target.js', import.meta.url);
const cluster = fileURLToPath(new URL('./peers/poolifier-cluster-worker.cjs', import.meta.url));
const factor = 3;

const node = (...args) =>
  new Promise((resolve) => {
    spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }).on('exit', resolve);
  });
const child = async (target, options) => (await new Process(target, options).start()).exited;

async function pool(context) {
  const workers = new Pool({ processes: 2, context });
  await workers.apply((x) => x, [1]);
  return () => workers.terminate();
}

async function peer() {
  const workers = new FixedClusterPool(2, cluster, { errorHandler: console.error, enableEvents: false });
  await workers.execute(1);
  return () => workers.destroy();
}

const groups = {
  'start to exit': {
    'node -e 0': () => node('-e', '0'),
    'spawn, a module': () => child(module),
    'spawn, a closure': () => child((x) => x * factor, { args: [1] }),
    'thread, a closure': () => child((x) => x * factor, { args: [1], context: 'thread' }),
  },
  'pool of 2 to its first result': {
    'poolifier cluster': peer,
    spawn: () => pool('spawn'),
    thread: () => pool('thread'),
  },
};

console.log(`Node ${process.version}, ${rounds} rounds`);
for (const [title, contenders] of Object.entries(groups)) {
  const names = Object.keys(contenders);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round + 1) % names.length];
      const began = performance.now();
      const close = await contenders[name]();
      // The first round warms up.
      if (round >= 0) times[name].push(performance.now() - began);
      if (typeof close === 'function') await close();
    }
  }
  console.log(`\n| ${title} | ms | x ${names[0]} |\n|---|---|---|`);
  for (const name of names) {
    const ratios = times[name].map((time, i) => time / times[names[0]][i]);
    console.log(`| ${name} | ${median(times[name]).toFixed(1)} | ${median(ratios).toFixed(2)} |`);
  }
}
process.exit(0);
