/** Agents: their life, what is lost with them, and the command line. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Agent, DistributedPool, type DistributedPoolEvent } from 'multiprocess/distributed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand, runProgram, startAgent } from '../support/agents.js';
import { hasNats, type Nats, startNats } from '../support/nats.js';
import { until } from '../support/until.js';

const MODULE = new URL('../fixtures/distributed/tasks.js', import.meta.url);
const tasks = createRequire(import.meta.url)(
  fileURLToPath(MODULE),
) as typeof import('../fixtures/distributed/tasks.js');

describe.skipIf(!hasNats)('an agent', () => {
  let nats: Nats;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats?.close());

  test('keeps a task that blocks its worker for longer than the lease', async () => {
    await using _agent = await Agent.start({ servers: nats.servers, name: 'blocks', processes: 1, lease: 500 });
    await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'blocks' });
    const { attempt } = await pool.apply(tasks.blockAbout, [1_500]);
    expect(attempt).toBe(0);
  });

  test('that is killed loses its tasks to others after the lease', async () => {
    const first = await startAgent(nats.servers, 'killed', ['--lease', '700']);
    await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'killed' });
    const events: DistributedPoolEvent[] = [];
    const watching = pool.events.subscribe((event) => events.push(event));
    const results = Array.from({ length: 4 }, () => pool.apply(tasks.waitAbout, [300]));
    await until(() => pool.stats().active === 4, 'the tasks to be published');
    await until(() => first.child.exitCode === null, 'the agent to run');
    const [holder] = await pool.hosts();
    expect(holder).toMatchObject({ pid: first.child.pid });
    first.child.kill('SIGKILL');
    await first.ended;
    await using second = await Agent.start({ servers: nats.servers, name: 'killed', processes: 1 });
    const all = await Promise.all(results);
    expect(all).toHaveLength(4);
    expect(second.info().done).toBeGreaterThan(0);
    await until(() => events.some(({ type }) => type === 'host-lost'), 'the host to be lost');
    watching.unsubscribe();
  });

  test('whose task kills it again and again gives the task up', async () => {
    const agents = await Promise.all(
      Array.from({ length: 3 }, () => startAgent(nats.servers, 'poison', ['--lease', '500'])),
    );
    await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'poison', maxAttempts: 2 });
    const results = await pool.imap(tasks.killAgentAt3, [1, 2, 3, 4], { errors: 'settle', chunkSize: 4 }).toArray();
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(results[2]).toMatchObject({ reason: { code: 'MP_HOSTS_LOST' } });
    const letters = [];
    for await (const letter of pool.deadLetters()) letters.push(letter);
    expect(letters).toMatchObject([{ index: 2, count: 1, attempts: 2, error: { code: 'MP_HOSTS_LOST' } }]);
    expect(agents.filter(({ child }) => child.signalCode === 'SIGKILL')).toHaveLength(2);
  });

  test('drains: finishes what it has, takes no more', async () => {
    const agent = await Agent.start({ servers: nats.servers, name: 'drains', processes: 1 });
    await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'drains' });
    const running = pool.apply(tasks.wait, [200]);
    await until(() => agent.info().held === 1, 'the task to be held');
    const drained = agent.drain();
    const later = pool.apply(tasks.add, [1, 2]);
    expect(await running).toBe(200);
    await drained;
    await agent.closed;
    expect(agent.info().state).toBe('left');
    await using _second = await Agent.start({ servers: nats.servers, name: 'drains', processes: 1 });
    expect(await later).toBe(3);
  });

  test('that is stopped gives its tasks back at once', async () => {
    const agent = await Agent.start({ servers: nats.servers, name: 'stops', processes: 1 });
    await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'stops' });
    const running = pool.apply(tasks.waitAbout, [400]);
    await until(() => agent.info().held === 1, 'the task to be held');
    await agent.stop();
    await using _second = await Agent.start({ servers: nats.servers, name: 'stops', processes: 1 });
    expect(await running).toMatchObject({ attempt: 0 });
  });

  test('answers for its health', async () => {
    const agent = await Agent.start({ servers: nats.servers, name: 'health', processes: 1, http: 0 });
    const url = `http://127.0.0.1:${agent.httpPort}/`;
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ healthy: true, broker: true, id: agent.id });
    await agent.stop();
    await expect(fetch(url)).rejects.toThrow();
  });

  test('loads modules first', async () => {
    const preload = ['./test/fixtures/distributed/preloaded.js'];
    await using _agent = await Agent.start({ servers: nats.servers, name: 'preload', processes: 1, preload });
    await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'preload' });
    expect(await pool.apply(tasks.preloaded)).toBe(true);
  });

  test('whose driver dies gives its tasks up after the lease', async () => {
    await using agent = await Agent.start({ servers: nats.servers, name: 'orphans', processes: 1, lease: 500 });
    const driver = runProgram('driver.mjs', [nats.servers, 'orphans']);
    await until(() => agent.info().held > 0, 'the driver to have tasks');
    driver.child.kill('SIGKILL');
    await driver.ended;
    await until(() => agent.info().held === 0, 'the agent to give them up');
    await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'orphans' });
    expect(await pool.apply(tasks.add, [1, 2])).toBe(3);
  });

  describe('by the command line', () => {
    test('serves, and drains at SIGTERM', async () => {
      // Nothing of an agent that has ended waits for the lease.
      const agent = await startAgent(nats.servers, 'cli', ['--http', '0', '--lease', '120000']);
      await using pool = await DistributedPool.connect({ servers: nats.servers, name: 'cli' });
      const running = pool.apply(tasks.wait, [200]);
      const started = Date.now();
      await until(
        () => pool.stats().hosts.some(({ held }) => held === 1) || Date.now() - started > 1_200,
        'the task to be held',
      );
      agent.child.kill('SIGTERM');
      expect(await running).toBe(200);
      expect(await agent.ended).toEqual({ code: 0, signal: null });
      expect(agent.log()).toMatch(/INFO SIGTERM: drains/);
    });

    test('says what is wrong with a command', async () => {
      const unknown = runCommand(['agnet']);
      expect(await unknown.ended).toMatchObject({ code: 2 });
      expect(unknown.log()).toContain('Usage:');
      const bare = runCommand(['agent', '--name', 'x']);
      expect(await bare.ended).toMatchObject({ code: 2 });
      expect(bare.log()).toContain('--servers is missing');
      const away = runCommand(['agent', '--servers', 'nats://127.0.0.1:1', '--name', 'x']);
      expect(await away.ended).toMatchObject({ code: 1 });
      expect(away.log()).toContain('MP_BROKER_UNREACHABLE');
    });
  });
});
