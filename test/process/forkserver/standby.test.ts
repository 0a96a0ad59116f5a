/** The child that a template forks before anybody asks. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { forkserver } from '../../../dist/process/forkserver/index.js';
import { fork } from '../../support/forks.js';
import { alive } from '../../support/processes.js';
import { until } from '../../support/until.js';

afterEach(() => forkserver.stop());

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** Has a template, and waits for its standby child. */
async function standbyPid(): Promise<number> {
  expect((await fork('nothing').end()).code).toBe(0);
  const template = forkserver.pid!;
  await until(() => childrenOf(template).filter(alive).length === 1, 'the standby child');
  return childrenOf(template).find(alive)!;
}

it('a standby child gets the next request, and another one is forked in its place', async () => {
  const first = await standbyPid();
  const child = fork('stay');
  await child.popen.started;
  expect(child.popen.pid).toBe(first);
  await until(() => childrenOf(forkserver.pid!).filter(alive).length === 2, 'another standby child');
  child.popen.kill();
  expect((await child.end()).code).toBe(-9);
});

it("a standby child's clock and identity begin with its request", async () => {
  const pid = await standbyPid();
  const asked = Date.now();
  const { said } = await fork('identity', { env: { FIXTURE_VARIABLE: 'this' } }).end();
  expect(said.pid).toBe(pid);
  // A clock of milliseconds.
  expect(said.origin).toBeGreaterThanOrEqual(asked - 1);
  expect(said.variable).toBe('this');
});

it("a standby child has no descriptor of the template's open but the channel between them", async () => {
  const pid = await standbyPid();
  const template = forkserver.pid!;
  /** All but the standard streams. */
  const opened = (of: number): string[] =>
    readdirSync(`/proc/${of}/fd`)
      .filter((fd) => Number(fd) > 2)
      .map((fd) => readlinkSync(`/proc/${of}/fd/${fd}`));
  const sockets = opened(pid).filter((target) => target.startsWith('socket:'));
  expect(sockets).toHaveLength(1);
  expect(opened(template)).not.toContain(sockets[0]);
  expect(opened(pid).filter((target) => target.includes('pidfd'))).toEqual([]);
});

it('a standby child that died is replaced: the next request gets a fork of its own', async () => {
  const first = await standbyPid();
  process.kill(first, 'SIGKILL');
  await until(() => !alive(first), 'its end');
  const { code } = await fork('nothing').end();
  expect(code).toBe(0);
  const second = await standbyPid();
  expect(second).not.toBe(first);
});

it('a standby child that is killed with a request in its channel counts as a child that was killed', async () => {
  const pid = await standbyPid();
  process.kill(pid, 'SIGSTOP');
  const child = fork('nothing');
  await child.popen.started;
  expect(child.popen.pid).toBe(pid);
  process.kill(pid, 'SIGKILL');
  expect(await child.end()).toEqual({ said: null, code: -9 });
});

it("a request too large for the standby child's socket gets a fork of its own", async () => {
  const pid = await standbyPid();
  const large = 'x'.repeat(40_000);
  const { said, code } = await fork('identity', { env: { FIXTURE_VARIABLE: large } }).end();
  expect(code).toBe(0);
  expect(said.pid).not.toBe(pid);
  expect(said.variable).toBe(large);
  expect(alive(pid)).toBe(true);
});

it.each(['SIGKILL', 'SIGTERM'] as const)(
  'a standby child ends with its template (%s), also while other children live',
  async (signal) => {
    await standbyPid();
    const stays = fork('stay');
    await stays.popen.started;
    const template = forkserver.pid!;
    await until(() => childrenOf(template).filter(alive).length === 2, 'another standby child');
    const second = childrenOf(template).find((pid) => alive(pid) && pid !== stays.popen.pid)!;
    process.kill(template, signal);
    await until(() => !alive(second), 'its end');
    expect(alive(stays.popen.pid!)).toBe(true);
    stays.popen.kill();
    await stays.end();
  },
);
