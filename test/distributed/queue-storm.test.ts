/**
 * Consumers and producers of a queue are killed at random, the broker restarted, connections cut:
 * nothing that was accepted is lost.
 *
 *   MP_SEED    the order of events; printed
 *   MP_ITEMS   items of each producer, default 200
 *   MP_BROKER_SIGNAL   how the broker of a bounded queue ends, default SIGTERM. After SIGKILL nats-server
 *                      2.9.10 may have lost what consumers had: docs/decisions/0302
 */
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { DistributedQueue } from 'multiprocess/distributed';
import { describe, expect, test } from 'vitest';
import { type AgentProcess, runProgram } from '../support/agents.js';
import { hasNats, startNats } from '../support/nats.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const brokerSignal = (process.env['MP_BROKER_SIGNAL'] ?? 'SIGTERM') as NodeJS.Signals;
const items = Number(process.env['MP_ITEMS'] ?? 200);

function randomOf(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * bound);
  };
}

async function running(program: AgentProcess): Promise<AgentProcess> {
  await until(() => program.log().includes('ready'), `the program to begin: ${program.log()}`, 60_000);
  return program;
}

/** How often each item stands behind `word` in what the programs said. */
function said(programs: readonly AgentProcess[], word: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { log } of programs)
    for (const [, item] of log().matchAll(new RegExp(`^${word}(\\d+-\\d+)$`, 'gm')))
      counts.set(item!, (counts.get(item!) ?? 0) + 1);
  return counts;
}

async function stateOf(servers: string, name: string): Promise<string[]> {
  const connection = await connect({ servers });
  const manager = await jetstreamManager(connection);
  const stream = await manager.streams.info(`MP_QUEUE_${name}`);
  const consumer = await manager.consumers.info(`MP_QUEUE_${name}`, 'items');
  await connection.close();
  return [JSON.stringify(stream.state), JSON.stringify(consumer)];
}

describe.skipIf(!hasNats)('a storm over a queue', () => {
  test.each([
    ['consumers that are killed', false, 50, brokerSignal],
    ['consumers, producers, connections and the broker', true, 50, brokerSignal],
    ['all of these, where the broker is killed and the queue is not bounded', true, 0, 'SIGKILL'],
  ] as const)('loses nothing: %s', { timeout: 120_000 + items * 200 }, async (_, everything, maxSize, signal) => {
    const seed = Number(process.env['MP_SEED'] ?? Date.now() % 1_000_000);
    console.log(`seed ${seed}, ${items} items of each producer`);
    const random = randomOf(seed);
    const nats = await startNats();
    const proxy = await TcpProxy.start(nats.port);
    const through = `nats://127.0.0.1:${proxy.port}`;
    const name = 'storm';
    const queue = await DistributedQueue.connect<string>({ servers: nats.servers, name, lease: 1_000, maxSize });
    const consumers: AgentProcess[] = [];
    const dead: AgentProcess[] = [];
    const start = async (): Promise<AgentProcess> =>
      await running(runProgram('consumer.mjs', [everything && random(2) === 0 ? through : nats.servers, name, 'work']));
    try {
      const producers = await Promise.all(
        [through, nats.servers].map((servers) =>
          running(runProgram('consumer.mjs', [servers, name, 'produce', String(items)])),
        ),
      );
      consumers.push(await start(), await start());
      const ended = (program: AgentProcess): boolean =>
        program.log().includes('done') || program.child.signalCode !== null;
      /** Of ten events, which number the broker has, and those above. */
      const brokerFrom = maxSize === 0 ? 8 : 9;
      let events = 0;
      while (events < 8 || !producers.every(ended)) {
        await delay(200 + random(600));
        const what = everything ? random(10) : 0;
        events++;
        if (what < 4) {
          const at = random(consumers.length);
          const victim = consumers[at]!;
          victim.child.kill('SIGKILL');
          await victim.ended;
          dead.push(victim);
          consumers[at] = await start();
        } else if (what < 6) {
          const { child } = consumers[random(consumers.length)]!;
          child.kill('SIGSTOP');
          await delay(random(1_500));
          child.kill('SIGCONT');
        } else if (what < brokerFrom - 1) {
          if (random(2) === 0) proxy.cut();
          else proxy.halfClose();
        } else if (what < brokerFrom && events > 4) {
          producers[0]!.child.kill('SIGKILL');
          await producers[0]!.ended;
        } else {
          await nats.kill(signal);
          await delay(random(800));
          await nats.restart();
        }
      }
      const workers = [...dead, ...consumers];
      const accepted = said(producers, '');
      const missing = (): string[] => {
        const took = said(workers, 'took ');
        return [...accepted.keys()].filter((item) => !took.has(item));
      };
      await until(() => missing().length === 0, 'each accepted item to be taken', 60_000 + items * 50).catch(
        async (error: Error) => {
          const [stream, consumer] = await stateOf(nats.servers, name);
          const logs = consumers.map(({ log }) => log().slice(-300)).join('\n---\n');
          throw new Error(`${error.message}: ${missing().slice(0, 50).join(' ')}\n${stream}\n${consumer}\n${logs}`);
        },
      );
      // Nothing waits, and nobody has anything.
      await expect.poll(() => queue.qsize(), { timeout: 30_000 }).toBe(0);
      const twice = [...said(workers, 'acked ')].filter(([, count]) => count > 1);
      console.log(`${accepted.size} accepted, ${twice.length} acknowledged more than once, ${events} events`);
      // More than once only where the broker, or a connection, forgot that it was.
      if (!everything) expect(twice).toEqual([]);
    } finally {
      for (const { child, ended } of [...consumers, ...dead]) {
        child.kill('SIGKILL');
        await ended;
      }
      queue.cancelJoinThread();
      await queue[Symbol.asyncDispose]();
      await proxy.close();
      await nats.close();
    }
  });
});
