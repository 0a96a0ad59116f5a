/**
 * Agents, drivers and the broker are killed, stopped and started at random, connections cut: each item
 * settles, once.
 *
 *   MP_SEED    the order of events; printed
 *   MP_ITEMS   items, default 1,500; 20,000 take some minutes
 */
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { DistributedPool } from 'multiprocess/distributed';
import { describe, expect, test } from 'vitest';
import { type AgentProcess, runProgram } from '../support/agents.js';
import { hasNats, type Nats, startNats } from '../support/nats.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { type Random, randomOf, Weather } from '../support/weather.js';

const MODULE = new URL('../fixtures/distributed/tasks.js', import.meta.url);
const tasks = createRequire(import.meta.url)(
  fileURLToPath(MODULE),
) as typeof import('../fixtures/distributed/tasks.js');

const items = Number(process.env['MP_ITEMS'] ?? 1_500);
const timeout = 60_000 + items * 60;

interface Driver extends AgentProcess {
  killed?: boolean;
  /** How much it had said when it was stopped. */
  stopped?: number;
}

function begin(): Random {
  const seed = Number(process.env['MP_SEED'] ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}, ${items} items`);
  return randomOf(seed);
}

/** Waits until streams are empty. */
async function emptied(nats: Nats, streams: readonly string[], said: () => string): Promise<void> {
  const connection = await connect({ servers: nats.servers });
  const manager = await jetstreamManager(connection);
  for (const stream of streams) {
    for (let left = 1, looks = 0; left > 0; looks++) {
      left = (await manager.streams.info(stream)).state.messages;
      if (looks === 200) {
        const { state } = await manager.streams.info(stream);
        const consumers = await manager.consumers.list(stream).next();
        const seen = consumers.map(({ num_pending, num_ack_pending, num_redelivered, delivered, ack_floor }) =>
          JSON.stringify({ num_pending, num_ack_pending, num_redelivered, delivered, ack_floor }),
        );
        throw new Error(`${left} messages are left in ${stream}: ${JSON.stringify(state)} ${seen} ${said()}`);
      }
      if (left > 0) await delay(100);
    }
  }
  await connection.close();
}

describe.skipIf(!hasNats)('a storm', () => {
  test('each item settles once, and nothing is left', { timeout }, async () => {
    const random = begin();
    const nats = await startNats();
    const proxy = await TcpProxy.start(nats.port);
    const weather = new Weather('storm', nats, proxy, random, true);
    await weather.start(3);
    const pool = await DistributedPool.connect({ servers: `nats://127.0.0.1:${proxy.port}`, name: 'storm' });
    weather.blow();
    try {
      const source = Array.from({ length: items }, (_, i) => i);
      const outcomes = await pool.imap(tasks.briefly, source, { window: 200, errors: 'settle' }).toArray();
      await weather.calm();
      expect(outcomes).toHaveLength(items);
      const lost: number[] = [];
      outcomes.forEach((outcome, i) => {
        if (outcome.status === 'fulfilled') expect(outcome.value).toBe(i);
        else {
          expect(outcome.reason).toMatchObject({ code: 'MP_HOSTS_LOST' });
          lost.push(i);
        }
      });
      // What was given up is a dead letter each.
      const letters = new Set<number>();
      for await (const { index, count } of pool.deadLetters()) for (let i = 0; i < count; i++) letters.add(index + i);
      for (const index of lost) expect(letters.has(index)).toBe(true);
      console.log(`${lost.length} items were given up`);
      const said = (): string =>
        `${JSON.stringify(pool.stats())}\n${weather.agents.map(({ log }) => log().slice(-600)).join('\n---\n')}`;
      await emptied(nats, ['MP_T_storm'], said);
    } finally {
      await weather.end();
      await pool.terminate();
      await proxy.close();
      await nats.close();
    }
  });

  test('a durable run goes on from driver to driver', { timeout }, async () => {
    const random = begin();
    const nats = await startNats();
    const proxy = await TcpProxy.start(nats.port);
    const weather = new Weather('drivers', nats, proxy, random, false);
    await weather.start(3);
    const drivers: Driver[] = [];
    const drive = (work: string): Driver => {
      const servers = random(2) === 0 ? nats.servers : `nats://127.0.0.1:${proxy.port}`;
      const driver = runProgram('storm-driver.mjs', [servers, 'drivers', 'run', work]);
      drivers.push(driver);
      return driver;
    };
    const isOver = (): boolean => drivers.some(({ log }) => log().includes('over'));
    const watcher = await DistributedPool.connect({ servers: nats.servers, name: 'drivers' });
    try {
      let driver = drive(String(items));
      // What is not published when its driver dies is not there to be resumed.
      await expect.poll(() => watcher.runs(), { timeout: 60_000 }).toMatchObject([{ items, total: items }]);
      weather.blow();
      while (!isOver()) {
        await delay(500 + random(3_000));
        const failed = /failed (.+)/.exec(driver.log())?.[1];
        if (isOver()) break;
        if (failed !== undefined) throw new Error(`the driver that reads the run failed: ${failed}`);
        const before = driver;
        if (random(3) > 0) {
          before.child.kill('SIGKILL');
          before.killed = true;
          await before.ended;
          driver = drive('resume');
        } else {
          // It is taken for dead, and finds out when it goes on.
          before.child.kill('SIGSTOP');
          driver = drive('resume');
          const { log } = driver;
          await until(() => /item|over|failed/.test(log()), 'the other to read on', 60_000).catch((error: unknown) => {
            throw new Error(`${drivers.map((each) => each.log().slice(-200)).join('\n---\n')}`, { cause: error });
          });
          before.stopped = before.log().length;
          before.child.kill('SIGCONT');
        }
      }
      await weather.calm();
      for (const { child, killed, ended } of drivers) if (killed !== true && child.exitCode === null) await ended;
      // In the order in which they were handed over: one that was stopped may read the run later again.
      const deliveries = drivers
        .flatMap((driver) =>
          [...driver.log().matchAll(/item (\d+) (\w+) at (\d+)/g)].map(
            ({ 1: item, 2: result, 3: at, index: place }) => {
              return { index: Number(item), result, at: Number(at), place, driver };
            },
          ),
        )
        .sort((a, b) => a.at - b.at);
      /** By item: who had it last. */
      const seen = new Map<number, (typeof deliveries)[number]>();
      let twice = 0;
      for (const delivery of deliveries) {
        const { index, result } = delivery;
        if (result !== 'MP_HOSTS_LOST') expect(Number(result)).toBe(index);
        const before = seen.get(index);
        seen.set(index, delivery);
        if (before === undefined) continue;
        twice++;
        // The broker had not heard of it when the one before was killed or stopped.
        const { killed, stopped = 0, log } = before.driver;
        // It may have had one in hand, and say so when it goes on.
        const moment = Math.max(stopped, log().indexOf('item', stopped));
        const who = [before, delivery].map(({ driver }) => drivers.indexOf(driver)).join(' and ');
        expect(killed === true || before.place <= moment, `item ${index}: drivers ${who}`).toBe(true);
      }
      console.log(
        `${drivers.length} drivers; ${twice} items were handed over in the last moment of a driver, and again`,
      );
      expect(seen.size).toBe(items);
      const streams = ['MP_T_drivers', 'MP_R_drivers'];
      await emptied(nats, streams, () =>
        [...weather.agents, ...drivers].map(({ log }) => log().slice(-300)).join('\n---\n'),
      );
    } finally {
      await weather.end();
      await watcher.terminate();
      for (const { child, ended } of drivers) {
        child.kill('SIGKILL');
        await ended;
      }
      await proxy.close();
      await nats.close();
    }
  });
});
