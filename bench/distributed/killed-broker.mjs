/**
 * What nats-server loses of a bounded stream when it is killed, without this package: a consumer has four
 * messages, twelve behind them are acknowledged and as many stored, and the server gets SIGKILL.
 *
 *   node bench/distributed/killed-broker.mjs [nats-server]
 *
 * 2.9.10 comes back with the twelve, since it writes what was removed later. That is more than the limit,
 * so it drops the oldest: those of the consumer.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const PORT = 14333;
const HELD = 4;
const program = process.argv[2] ?? 'nats-server';
const folder = mkdtempSync(join(tmpdir(), 'multiprocess-killed-'));
const config = join(folder, 'nats.conf');
writeFileSync(config, `jetstream { store_dir: "${folder}/store" }\nhost: 127.0.0.1\nport: ${PORT}\n`);

async function start() {
  const server = spawn(program, ['-c', config], { stdio: 'ignore' });
  for (;;) {
    try {
      const connection = await connect({ servers: `127.0.0.1:${PORT}`, reconnect: false });
      const manager = await jetstreamManager(connection, { checkAPI: false });
      await manager.getAccountInfo();
      return { server, connection, manager };
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Names of the messages that were confirmed and are neither acknowledged nor there. */
async function lostOf(limit) {
  const stream = `S${limit}`;
  let broker = await start();
  await broker.manager.streams.add({
    name: stream,
    subjects: [stream],
    retention: 'workqueue',
    discard: 'new',
    max_msgs: limit,
  });
  await broker.manager.consumers.add(stream, { durable_name: 'all', ack_policy: 'explicit' });
  const client = jetstream(broker.connection);
  const missing = new Set();
  const put = async (name) => {
    await client.publish(stream, name);
    missing.add(name);
  };
  for (let i = 0; i < 10; i++) await put(`m${i}`);
  const consumer = await client.consumers.get(stream, 'all');
  const take = async () => {
    const taken = [];
    for await (const message of await consumer.fetch({ max_messages: HELD })) taken.push(message);
    return taken;
  };
  await take();
  for (let i = 10; i < 22; ) {
    for (const message of await take()) {
      await message.ackAck();
      missing.delete(message.string());
      await put(`m${i++}`);
    }
  }
  broker.server.kill('SIGKILL');
  await once(broker.server, 'exit');
  broker = await start();
  const { state } = await broker.manager.streams.info(stream);
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await broker.manager.streams.getMessage(stream, { seq }).catch(() => null);
    if (message !== null) missing.delete(message.string());
  }
  const { version } = broker.connection.info;
  await broker.connection.close();
  broker.server.kill('SIGKILL');
  await once(broker.server, 'exit');
  return `nats-server ${version}, max_msgs ${limit}: ${missing.size} of 22 lost ${[...missing].join(' ')}`;
}

try {
  for (const limit of [10, 100, -1]) console.log(await lostOf(limit));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
