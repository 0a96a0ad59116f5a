/**
 * Many hosts beside BullMQ and plain JetStream: two hosts of one worker each, all on this machine.
 *
 *   node bench/distributed.js [--rounds 3] [--tasks 4000]
 *
 * Needs nats-server and redis-server. Recovery is measured with a lease of 5 s, the default: from the
 * SIGKILL of an agent until what it had has run elsewhere, and from the restart of the broker until the
 * next result. Rounds alternate between the contestants; medians are shown, and
 * what each round had. Redis writes an append-only file, JetStream a file store, both flushed by the
 * second or slower.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Queue, QueueEvents } from 'bullmq';
import { Agent, DistributedPool } from '../dist/distributed/index.js';
import { Pool } from '../dist/index.js';
import { large, noop, wait } from './distributed/tasks.mjs';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, tasks: { type: 'string', default: '4000' } },
});
const rounds = Number(values.rounds);
const tasks = Number(values.tasks);
const IN_FLIGHT = 256;
const NATS_PORT = 14222;
const REDIS_PORT = 16379;
const servers = `nats://127.0.0.1:${NATS_PORT}`;
const folder = mkdtempSync(join(tmpdir(), 'multiprocess-bench-'));
const children = [];

function start(command, args) {
  const child = spawn(command, args, { stdio: 'ignore' });
  children.push(child);
  return child;
}

async function worker(name, args) {
  const child = fork(fileURLToPath(new URL(`distributed/${name}`, import.meta.url)), args);
  children.push(child);
  await once(child, 'message');
}

/** Calls `run` `count` times, so many at once. Returns calls a second. */
async function rate(count, run, atOnce = IN_FLIGHT) {
  const began = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await run();
    }),
  );
  return (count / (performance.now() - began)) * 1_000;
}

function startAgent(cli, name) {
  return start(process.execPath, [cli, 'agent', '--servers', servers, '--name', name, '--processes', '8']);
}

async function until(holds) {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Milliseconds that an item of {@link killedAgent} takes. */
const ITEM_MS = 1_500;

/** From the SIGKILL of an agent until all that it had runs elsewhere: the last result, without its own time. */
async function killedAgent(cli, round) {
  const name = `killed-${round}`;
  const agents = [startAgent(cli, name), startAgent(cli, name)];
  const driver = await DistributedPool.connect({ servers, name });
  const heldBy = ({ pid }) => driver.stats().hosts.find((host) => host.pid === pid)?.held ?? 0;
  await until(() => driver.stats().hosts.length === 2);
  const results = [];
  while (heldBy(agents[0]) === 0 && results.length < 8) {
    results.push(driver.apply(wait, [ITEM_MS]));
    // Hosts say once a second what they have.
    await driver.hosts();
  }
  agents[0].kill('SIGKILL');
  const began = performance.now();
  await Promise.all(results);
  const took = performance.now() - began - ITEM_MS;
  await driver.terminate();
  agents[1].kill('SIGTERM');
  await once(agents[1], 'exit');
  return took;
}

/** From the start of a broker that was killed until the next result of a stream. */
async function restartedBroker(cli, round) {
  const name = `broker-${round}`;
  const agent = startAgent(cli, name);
  const driver = await DistributedPool.connect({ servers, name });
  await until(() => driver.stats().processes > 0);
  let seen = 0;
  const reading = (async () => {
    const endless = (function* () {
      for (;;) yield 1;
    })();
    for await (const _ of driver.imap(wait, endless, { window: 16, chunkSize: 1 })) seen++;
  })().catch(() => {});
  await until(() => seen > 50);
  broker.kill('SIGKILL');
  await once(broker, 'exit');
  await until(() => !driver.stats().connected);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const before = seen;
  broker = startBroker();
  const began = performance.now();
  await until(() => seen > before + 16);
  const took = performance.now() - began;
  await driver.terminate();
  await reading;
  agent.kill('SIGTERM');
  await once(agent, 'exit');
  return took;
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const results = new Map();
async function measure(name, unit, run) {
  const figure = await run();
  if (!results.has(name)) results.set(name, { unit, figures: [] });
  results.get(name).figures.push(figure);
}

const startBroker = () =>
  start('nats-server', ['-js', '-a', '127.0.0.1', '-p', String(NATS_PORT), '-sd', join(folder, 'nats')]);
let broker = startBroker();
const redis = [
  '--port',
  String(REDIS_PORT),
  '--dir',
  folder,
  '--appendonly',
  'yes',
  '--appendfsync',
  'everysec',
  '--save',
  '',
];
start('redis-server', redis);
await new Promise((resolve) => setTimeout(resolve, 1_000));

try {
  // Ours
  const cli = fileURLToPath(new URL('../bin/multiprocess.js', import.meta.url));
  for (let i = 0; i < 2; i++)
    start(process.execPath, [cli, 'agent', '--servers', servers, '--name', 'bench', '--processes', '1']);
  const pool = await DistributedPool.connect({ servers, name: 'bench' });
  while (pool.stats().processes < 2) await new Promise((resolve) => setTimeout(resolve, 50));

  // BullMQ
  const connection = { host: '127.0.0.1', port: REDIS_PORT, maxRetriesPerRequest: null };
  const queue = new Queue('noop', { connection });
  const events = new QueueEvents('noop', { connection });
  for (const emitter of [queue, events]) emitter.setMaxListeners(0);
  await events.waitUntilReady();
  await Promise.all([worker('bullmq-worker.mjs', [REDIS_PORT]), worker('bullmq-worker.mjs', [REDIS_PORT])]);
  const job = async () =>
    (await queue.add('noop', { x: 1 }, { removeOnComplete: { count: 10_000 } })).waitUntilFinished(events);

  // Plain JetStream: no result
  const nc = await connect({ servers });
  const manager = await jetstreamManager(nc);
  await manager.streams.add({ name: 'RAW', subjects: ['raw.>'], retention: 'workqueue' });
  await manager.consumers.add('RAW', { durable_name: 'raw', ack_policy: 'explicit' });
  await Promise.all([worker('raw-jetstream.mjs', [servers]), worker('raw-jetstream.mjs', [servers])]);
  const js = jetstream(nc);
  const raw = async (count, bytes = 100, atOnce = IN_FLIGHT) => {
    const payload = new Uint8Array(bytes);
    const began = performance.now();
    await rate(count, () => js.publish('raw.task', payload), atOnce);
    while ((await manager.streams.info('RAW')).state.messages > 0);
    return (count / (performance.now() - began)) * 1_000;
  };

  // Warm
  await rate(1_000, () => pool.apply(noop, [1]));
  await rate(300, job);
  await raw(1_000);
  for (let round = 0; round < rounds; round++) {
    await measure('apply of nothing, 256 in flight', 'calls/s', () => rate(tasks, () => pool.apply(noop, [1])));
    await measure('BullMQ, the same', 'jobs/s', () => rate(Math.min(tasks, 2_000), job));
    await measure('plain JetStream: publish, pull, ack', 'messages/s', () => raw(tasks));
    await measure('imap of nothing, chunks by itself', 'items/s', async () => {
      const items = 100_000;
      const began = performance.now();
      let seen = 0;
      for await (const _ of pool.imap(noop, Array(items).keys())) seen++;
      return (seen / (performance.now() - began)) * 1_000;
    });
    await measure('results of 1 MiB', 'MB/s', async () => {
      const began = performance.now();
      let bytes = 0;
      for await (const part of pool.imap(large, Array(100).keys(), { chunkSize: 1 })) bytes += part.length;
      return bytes / (performance.now() - began) / 1_000;
    });
    // As large as a message may be, and as many at once as the hosts above give.
    await measure('plain JetStream: messages of 1 MB', 'MB/s', () => raw(100, 1_000_000, 8));
  }
  await measure('a local pool: start to first result', 'ms', async () => {
    const began = performance.now();
    const local = new Pool({ processes: 1 });
    await local.apply(noop, [1]);
    const took = performance.now() - began;
    await local.terminate();
    return took;
  });
  await measure('an agent: start to first result', 'ms', async () => {
    const driver = await DistributedPool.connect({ servers, name: 'fresh' });
    const began = performance.now();
    const agent = await Agent.start({ servers, name: 'fresh', processes: 1 });
    await driver.apply(noop, [1]);
    const took = performance.now() - began;
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const { user, system } = process.cpuUsage(before);
    console.log(`an agent and a driver that are idle: ${(((user + system) / 3_000_000) * 100).toFixed(2)} % of a core`);
    await driver.terminate();
    await agent.stop();
    return took;
  });
  await pool.terminate();
  for (let round = 0; round < rounds; round++) {
    await measure('an agent is killed: until its items have run elsewhere', 'ms', () => killedAgent(cli, round));
  }
  await Promise.all([queue.close(), events.close(), nc.close()]);
  // Last: what else is connected would be in the way.
  for (let round = 0; round < rounds; round++)
    await measure('the broker is killed and started: until work goes on', 'ms', () => restartedBroker(cli, round));
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
for (const [name, { unit, figures }] of results) {
  console.log(`${name}: ${Math.round(median(figures))} ${unit} (${figures.map(Math.round).join(', ')})`);
}
process.exit(0);
