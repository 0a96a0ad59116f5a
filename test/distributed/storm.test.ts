/**
 * Agents are killed, stopped and started at random, the broker restarted, connections cut: each item
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
import { type AgentProcess, startAgent } from '../support/agents.js';
import { hasNats, startNats } from '../support/nats.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const MODULE = new URL('../fixtures/distributed/tasks.js', import.meta.url);
const tasks = createRequire(import.meta.url)(fileURLToPath(MODULE)) as typeof import('../fixtures/distributed/tasks.js');

const items = Number(process.env['MP_ITEMS'] ?? 1_500);

describe.skipIf(!hasNats)('a storm', () => {
  test('each item settles once, and nothing is left', { timeout: 60_000 + items * 60 }, async () => {
    const seed = Number(process.env['MP_SEED'] ?? Date.now() % 1_000_000);
    console.log(`seed ${seed}, ${items} items`);
    let state = seed;
    const random = (bound: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * bound);
    };
    const nats = await startNats();
    const proxy = await TcpProxy.start(nats.port);
    const through = `nats://127.0.0.1:${proxy.port}`;
    const start = (): Promise<AgentProcess> => startAgent(random(2) === 0 ? nats.servers : through, 'storm', ['--lease', '1000']);
    const agents = await Promise.all([start(), start(), start()]);
    const pool = await DistributedPool.connect({ servers: through, name: 'storm' });
    let over = false;
    const weather = (async () => {
      while (!over) {
        await delay(300 + random(1_200));
        if (over) break;
        const what = random(10);
        const at = random(agents.length);
        const { child } = agents[at]!;
        if (what < 4) {
          child.kill('SIGKILL');
          await agents[at]!.ended;
          agents[at] = await start();
        } else if (what < 6) {
          child.kill('SIGSTOP');
          await delay(random(2_500));
          child.kill('SIGCONT');
        } else if (what < 7) {
          child.kill('SIGTERM');
          await agents[at]!.ended;
          agents[at] = await start();
        } else if (what < 9) {
          if (random(2) === 0) proxy.cut();
          else proxy.halfClose();
        } else {
          await nats.kill();
          await delay(random(1_000));
          await nats.restart();
        }
      }
    })();
    try {
      const source = Array.from({ length: items }, (_, i) => i);
      const outcomes = await pool.imap(tasks.briefly, source, { window: 200, errors: 'settle' }).toArray();
      over = true;
      await weather;
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
      const connection = await connect({ servers: nats.servers });
      const manager = await jetstreamManager(connection);
      for (let left = 1, looks = 0; left > 0; looks++) {
        left = (await manager.streams.info('MP_T_storm')).state.messages;
        const said = (): string => `${JSON.stringify(pool.stats())}\n${agents.map(({ log }) => log().slice(-600)).join('\n---\n')}`;
        if (looks === 200) throw new Error(`${left} messages are left: ${said()}`);
        if (left > 0) await delay(100);
      }
      await connection.close();
    } finally {
      over = true;
      await weather.catch(() => {});
      await pool.terminate();
      for (const { child, ended } of agents) {
        child.kill('SIGKILL');
        await ended;
      }
      await proxy.close();
      await nats.close();
    }
  });
});
