/** The lines of Python's TestResourceTracker, each under its name. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Pool } from 'multiprocess';
import { resourceTracker } from 'multiprocess/resource-tracker';
import { SharedMemory } from 'multiprocess/shared-memory';
import { afterEach, describe, expect, it } from 'vitest';
import { closeDescriptor, createPipe } from '../../src/native/index.js';
import { codeOf } from '../support/code-of.js';
import { nearly } from '../support/nearly.js';
import { alive } from '../support/processes.js';
import { program } from '../support/programs.js';
import { until } from '../support/until.js';

const there = (name: string): boolean => existsSync(`/dev/shm/${name}`);

describe('TestResourceTracker', () => {
  afterEach(async () => {
    await resourceTracker.stop({ timeout: 10_000 });
  });

  it('_test_resource_tracker: what a killed process leaves behind is removed and reported; a name removed before is not fatal', async () => {
    const run = program('tracker.js', ['leak']);
    const [, list] = await run.line(/names (.*)\n/);
    const [first, second] = list!.split(' ') as [string, string];
    rmSync(`/dev/shm/${first}`);
    run.child.kill('SIGKILL');
    const { stderr } = await run.ended;
    expect(there(first) || there(second)).toBe(false);
    expect(stderr).toContain('ended without unlinking 1 block of shared memory');
    expect(stderr).toContain(second);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`test_resource_tracker_${signal.toLowerCase()}: the tracker ignores ${signal}, and nothing is warned`, async () => {
      const run = program('tracker.js', ['leak']);
      const [, list] = await run.line(/names (.*)\n/);
      const pid = Number((await run.line(/tracker (\d+)/))[1]);
      await until(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('resource tracker'), 'the tracker runs');
      process.kill(pid, signal);
      expect(alive(pid)).toBe(true);
      run.child.kill('SIGKILL');
      const { stdout } = await run.ended;
      expect(list!.split(' ').some(there)).toBe(false);
      expect(stdout).not.toContain('MP_TRACKER_DIED');
    });
  }

  it('test_resource_tracker_sigkill: a killed tracker is started again on next use, with exactly one warning', async () => {
    const { stdout, stderr, code } = await program('tracker.js', ['kill']).ended;
    expect(stdout.match(/MP_TRACKER_DIED/g)).toHaveLength(1);
    expect(stderr.match(/process died unexpectedly/g)).toHaveLength(1);
    expect(stdout).toContain('another true');
    expect(code).toBe(0);
  });

  it('test_resource_tracker_reused: a child uses the tracker of its parent', async () => {
    resourceTracker.ensureRunning();
    await using pool = new Pool({ processes: 1 });
    const used = await pool.apply(async () => {
      const { resourceTracker: own } = await import('multiprocess/resource-tracker');
      own.ensureRunning();
      return own.pid;
    });
    expect(used).toBe(resourceTracker.pid);
  });

  it('test_too_long_name_resource: a name that does not fit is refused', () => {
    expect(codeOf(() => resourceTracker.register('x'.repeat(600), 'shared_memory'))).toBe('MP_INVALID_ARGUMENT');
    expect(() => resourceTracker.register('x'.repeat(600), 'shared_memory')).toThrow(/too long: 600 bytes/);
    expect(codeOf(() => resourceTracker.register('nobody-made-this', 'shared_memory'))).toBe('MP_BLOCK_NOT_FOUND');
    expect(codeOf(() => resourceTracker.register('x', 'semaphore' as 'shared_memory'))).toBe('MP_INVALID_ARGUMENT');
  });

  for (const leaks of [false, true]) {
    it(`test_resource_tracker_exit_code: the tracker ends with ${leaks ? '1 when something leaked' : '0 when all was unregistered'}`, async () => {
      writeFileSync(`/dev/shm/multiprocess-test-${process.pid}`, 'x');
      const [reads, writes] = createPipe();
      const tracker = spawn(
        process.execPath,
        [fileURLToPath(new URL('../../dist/shared-memory/tracker.js', import.meta.url))],
        {
          stdio: [reads, 'ignore', 'ignore'],
        },
      );
      closeDescriptor(reads);
      const ended = new Promise((resolve) => tracker.once('close', resolve));
      const address = `${tracker.pid}:${readFileSync(`/proc/${tracker.pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[19]}`;
      const client = spawn(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `import { resourceTracker } from 'multiprocess/resource-tracker';
           resourceTracker.register('/multiprocess-test-${process.pid}', 'shared_memory');
           ${leaks ? '' : `resourceTracker.unregister('/multiprocess-test-${process.pid}', 'shared_memory');`}`,
        ],
        { stdio: 'inherit', env: { ...process.env, MULTIPROCESS_TRACKER: address } },
      );
      await new Promise((resolve) => client.once('close', resolve));
      closeDescriptor(writes);
      expect(await ended).toBe(leaks ? 1 : 0);
      expect(there(`multiprocess-test-${process.pid}`)).toBe(!leaks);
      rmSync(`/dev/shm/multiprocess-test-${process.pid}`, { force: true });
    });
  }

  it('test_resource_tracker_blocked_signals: starting the tracker leaves the signal mask as it was', () => {
    const mask = () => /SigBlk:\s*(\w+)/.exec(readFileSync('/proc/thread-self/status', 'utf8'))![1];
    const before = mask();
    resourceTracker.ensureRunning();
    expect(mask()).toBe(before);
  });

  it('test_resource_tracker_mp_fork_reuse_and_prompt_reap: a child registers with the inherited tracker, which stops when both are done', async () => {
    resourceTracker.ensureRunning();
    const { pid } = resourceTracker;
    {
      await using pool = new Pool({ processes: 1 });
      const name = await pool.apply(async () => {
        const memory = await import('multiprocess/shared-memory');
        const block = memory.SharedMemory.create(8);
        block.unlink();
        return block.name;
      });
      expect(there(name)).toBe(false);
    }
    expect(await resourceTracker.stop({ timeout: 20_000 })).toBe(true);
    expect(alive(pid!)).toBe(false);
    expect(resourceTracker.pid).toBe(null);
  });

  it('test_resource_tracker_safety_net_timeout: stopping a tracker whose pipe another holds ends after a bounded wait', async () => {
    resourceTracker.ensureRunning();
    const { pid } = resourceTracker;
    const held = openSync(`/proc/${pid}/fd/0`, 'w');
    const before = performance.now();
    expect(await resourceTracker.stop({ timeout: 50 })).toBe(false);
    expect(performance.now() - before).toBeGreaterThanOrEqual(nearly(50));
    expect(alive(pid!)).toBe(true);
    closeSync(held);
    await until(() => !alive(pid!), 'the tracker ends');
  });

  it('test_resource_tracker_fork_deadlock: a program ends with 0 though a stranger holds the pipe of its tracker', async () => {
    const keeper = program('tracker.js', ['leak']);
    const [, pid] = await keeper.line(/tracker (\d+)/);
    await keeper.line(/names/);
    const held = openSync(`/proc/${pid}/fd/0`, 'w');
    const started = SharedMemory.create(8);
    started.unlink();
    const { code } = await program('tracker.js', ['end'], {
      env: {
        MULTIPROCESS_TRACKER: `${pid}:${readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[19]}`,
      },
    }).ended;
    expect(code).toBe(0);
    expect(alive(Number(pid))).toBe(true);
    closeSync(held);
    keeper.child.kill('SIGKILL');
    await keeper.ended;
  });
});
