/**
 * Many hosts beside BullMQ and plain JetStream: two hosts of one worker each, all on this machine.
 *
 *   node bench/distributed.js [--rounds 3] [--tasks 4000]
 *
 * Needs nats-server and redis-server. Rounds alternate between the contestants; medians are shown, and
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
import { large, noop } from './distributed/tasks.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, tasks: { type: 'string', default: '4000' } } });
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
async function rate(count, run) {
  const began = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (left-- > 0) await run();
    }),
  );
  return (count / (performance.now() - began)) * 1_000;
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const results = new Map();
async function measure(name, unit, run) {
  const figure = await run();
  if (!results.has(name)) results.set(name, { unit, figures: [] });
  results.get(name).figures.push(figure);
}

start('nats-server', ['-js', '-a', '127.0.0.1', '-p', String(NATS_PORT), '-sd', join(folder, 'nats')]);
const redis = ['--port', String(REDIS_PORT), '--dir', folder, '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''];
start('redis-server', redis);
await new Promise((resolve) => setTimeout(resolve, 1_000));

try {
  // Ours
  const cli = fileURLToPath(new URL('../bin/multiprocess.js', import.meta.url));
  for (let i = 0; i < 2; i++) start(process.execPath, [cli, 'agent', '--servers', servers, '--name', 'bench', '--processes', '1']);
  const pool = await DistributedPool.connect({ servers, name: 'bench' });
  while (pool.stats().processes < 2) await new Promise((resolve) => setTimeout(resolve, 50));

  // BullMQ
  const connection = { host: '127.0.0.1', port: REDIS_PORT, maxRetriesPerRequest: null };
  const queue = new Queue('noop', { connection });
  const events = new QueueEvents('noop', { connection });
  for (const emitter of [queue, events]) emitter.setMaxListeners(0);
  await events.waitUntilReady();
  await Promise.all([worker('bullmq-worker.mjs', [REDIS_PORT]), worker('bullmq-worker.mjs', [REDIS_PORT])]);
  const job = async () => (await queue.add('noop', { x: 1 }, { removeOnComplete: { count: 10_000 } })).waitUntilFinished(events);

  // Plain JetStream: no result
  const nc = await connect({ servers });
  const manager = await jetstreamManager(nc);
  await manager.streams.add({ name: 'RAW', subjects: ['raw.>'], retention: 'workqueue' });
  await manager.consumers.add('RAW', { durable_name: 'raw', ack_policy: 'explicit' });
  await Promise.all([worker('raw-jetstream.mjs', [servers]), worker('raw-jetstream.mjs', [servers])]);
  const js = jetstream(nc);
  const payload = new Uint8Array(100);
  const raw = async (count) => {
    const began = performance.now();
    await rate(count, () => js.publish('raw.task', payload));
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
  await Promise.all([queue.close(), events.close(), nc.close()]);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
for (const [name, { unit, figures }] of results) {
  console.log(`${name}: ${Math.round(median(figures))} ${unit} (${figures.map(Math.round).join(', ')})`);
}
process.exit(0);
