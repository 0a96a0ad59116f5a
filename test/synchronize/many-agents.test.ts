/** More agents than the tables were once made for, and more, one after another, than they have room for. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Barrier, Condition, Semaphore } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { expect, it } from 'vitest';
import { agentOfThread } from '../../src/memory/index.js';
import { AgentTable, tableWords } from '../../src/synchronize/state/agent-table.js';
import { type FixtureProcess, startFixture } from '../support/fixture-process.js';
import { until } from '../support/until.js';

/** Threads are agents too, and cheaper; the long form takes processes: MULTIPROCESS_AGENTS=200. */
const PROCESSES = Number(process.env['MULTIPROCESS_AGENTS'] ?? 0);
const AGENTS = PROCESSES || 32;
const AGENT = 'synchronize/agent.mjs';

interface Said {
  readonly first: number;
  readonly notified: boolean;
  readonly second: number;
}

const process_ = async (fixture: FixtureProcess): Promise<Said> => JSON.parse((await fixture.line())!);
const thread = async (bytes: Uint8Array): Promise<Said> => {
  const worker = new Worker(new URL(`../fixtures/${AGENT}`, import.meta.url), { workerData: bytes });
  // A thread's last message and its exit may come in one turn, before what follows an await runs.
  const ended = once(worker, 'exit');
  const [said] = await once(worker, 'message');
  await ended;
  return said;
};

it(`${AGENTS} agents pass a barrier, are all notified, hold a permit each, and pass the barrier again`, {
  timeout: 300_000,
}, async () => {
  const objects = { barrier: new Barrier(AGENTS + 1), condition: new Condition(), semaphore: new Semaphore(AGENTS) };
  const { barrier, condition, semaphore } = objects;
  const bytes = dumps(objects);
  const hex = Buffer.from(bytes).toString('hex');
  const agents = Array.from({ length: AGENTS }, () =>
    PROCESSES > 0 ? process_(startFixture(AGENT, { args: [hex] })) : thread(bytes),
  );
  const first = await barrier.wait();
  await until(() => String(condition).endsWith(`, ${AGENTS})>`), 'all wait', 120_000);
  await condition.runExclusive(() => condition.notify(3));
  await condition.runExclusive(() => condition.notifyAll());
  const second = await barrier.wait();
  const said = await Promise.all(agents);
  const all = Array.from({ length: AGENTS + 1 }, (_, i) => i);
  expect([...said.map((one) => one.first), first].sort((a, b) => a - b)).toEqual(all);
  expect([...said.map((one) => one.second), second].sort((a, b) => a - b)).toEqual(all);
  expect(said.every((one) => one.notified)).toBe(true);
  await until(() => semaphore.getValue() === AGENTS, 'all permits');
});

it('the slot of an agent that has ended is used again, settled first', () => {
  const words = new Int32Array(tableWords(1, 2));
  const table = new AgentTable(words, 0, 1, 2);
  // Ids that no thread has: the largest there can be.
  words[0] = 2;
  words[2] = 0x3ffffe;
  words[3] = 7;
  words[4] = 0x3fffff;
  words[5] = 8;
  const settled: number[] = [];
  const settle = () => {
    for (const at of table.ended()) {
      settled.push(words[at]!);
      table.free(at);
    }
  };
  const mine = table.enter('test', settle);
  expect(settled).toEqual([7, 8]);
  expect(words[mine]).toBe(0);
  expect(table.enter('test', settle)).toBe(mine);
  expect(table.inUse()).toEqual([mine]);
  table.leave();
  expect(table.inUse()).toEqual([]);
});

it('a table full of agents that live refuses another one, and says so', () => {
  const words = new Int32Array(tableWords(1, 1));
  words[0] = 1;
  words[2] = agentOfThread(process.ppid);
  expect(() => new AgentTable(words, 0, 1, 1).enter('Condition.wait', () => {})).toThrow(
    'Condition.wait: 1 processes and threads use it already',
  );
});
