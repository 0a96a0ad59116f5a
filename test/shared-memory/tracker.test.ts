import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Pool } from 'multiprocess';
import { ShareableList, SharedMemory } from 'multiprocess/shared-memory';
import { describe, expect, it, onTestFinished } from 'vitest';
import { processStartTime } from '../../src/native/index.js';
import { startFixture } from '../support/fixture-process.js';
import { alive } from '../support/processes.js';
import { until } from '../support/until.js';

const there = (name: string): boolean => existsSync(`/dev/shm/${name}`);

async function creator(count: number, end = 'exit', address = '') {
  const process = startFixture('shared-memory/create.mjs', {
    args: [count, end],
    env: { MULTIPROCESS_TRACKER: address },
  });
  const [tracker, ...names] = (await process.line())!.split(' ');
  return { ...process, tracker: Number(tracker!.split(':')[0]), names };
}

describe('the tracker', () => {
  it('unlinks what a killed process created, and ends', async () => {
    const process = await creator(3);
    expect(process.names.every(there)).toBe(true);
    expect(alive(process.tracker)).toBe(true);
    process.child.kill('SIGKILL');
    await until(() => !process.names.some(there), 'the names are unlinked');
    await until(() => !alive(process.tracker), 'the tracker ends');
  });

  it('unlinks what a process created that exits without unlinking it', async () => {
    const process = await creator(1);
    process.child.kill('SIGTERM');
    expect(await process.ended).toBe(0);
    await until(() => !process.names.some(there), 'the name is unlinked');
  });

  it('ignores SIGINT and SIGTERM', async () => {
    const process = await creator(1);
    await until(
      () => readFileSync(`/proc/${process.tracker}/cmdline`, 'utf8').includes('resource tracker'),
      'the tracker runs',
    );
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) globalThis.process.kill(process.tracker, signal);
    process.child.kill('SIGKILL');
    await until(() => !process.names.some(there), 'the name is unlinked');
  });

  it('that was killed is started again by the process that started it, and told all names', async () => {
    const process = await creator(2, 'again');
    globalThis.process.kill(process.tracker, 'SIGKILL');
    expect(await process.line()).toBe('MP_TRACKER_DIED');
    process.child.kill('SIGTERM');
    const names = [...process.names, (await process.line())!];
    expect(names.map(there)).toEqual([true, true, true]);
    process.child.kill('SIGKILL');
    await until(() => !names.some(there), 'all names are unlinked');
  });

  it('serves a tree of processes, and any of them replaces it when it was killed', async () => {
    const first = await creator(1);
    const second = await creator(1, 'again', `${first.tracker}:${processStartTime(first.tracker)}`);
    expect(second.tracker).toBe(first.tracker);
    globalThis.process.kill(first.tracker, 'SIGKILL');
    expect(await first.line()).toBe('MP_TRACKER_DIED');
    second.child.kill('SIGTERM');
    const lines = [await second.line(), await second.line()];
    expect(lines).toContain('MP_TRACKER_DIED');
    const names = [...first.names, ...second.names, lines.find((line) => line !== 'MP_TRACKER_DIED')!];
    expect(names.map(there)).toEqual([true, true, true]);
    for (const { child } of [first, second]) child.kill('SIGKILL');
    await until(() => !names.some(there), 'all names are unlinked');
  });

  it('leaves a block alone when a process that only attached exits or is killed', async () => {
    using block = SharedMemory.create(16);
    for (const [i, end] of ['exit', 'kill'].entries()) {
      const other = startFixture('shared-memory/attach.mjs', { args: [block.name, end] });
      expect(await other.line()).toBe(String(i + 1));
      expect(await other.ended).toBe(end === 'exit' ? 0 : 'SIGKILL');
    }
    expect(block.buf[0]).toBe(2);
    expect(there(block.name)).toBe(true);
    block.unlink();
  });

  it('keeps a block whose maker has ended while one lives who received it', async () => {
    const pool = new Pool({ processes: 1, maxTasksPerChild: 1 });
    const block = (await pool.apply(
      new URL('../fixtures/shared-memory/make-block.mjs', import.meta.url),
      [32],
    )) as SharedMemory;
    const [worker] = await pool.map(() => process.pid, [0]);
    pool.close();
    await pool.join();
    await until(() => !alive(worker!), 'the worker has ended');
    expect([...block.buf]).toEqual(Array(32).fill(7));
    // The tracker has read that the worker ended once it has read what came later.
    using later = SharedMemory.create(8);
    later.unlink();
    using again = SharedMemory.attach(block.name);
    expect(again.size).toBe(32);
    block.close();
    block.unlink();
  });

  /** Runs the tracker by itself. */
  async function track(lines: (names: { name: string; inode: string }) => string[]): Promise<number | null> {
    const name = `multiprocess-test-${process.pid}`;
    writeFileSync(`/dev/shm/${name}`, 'x');
    onTestFinished(() => void (there(name) && new SharedMemoryName(name).unlink()));
    const { dev, ino } = statSync(`/dev/shm/${name}`, { bigint: true });
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../dist/shared-memory/tracker.js', import.meta.url))],
      {
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    );
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.stdin.end(`${lines({ name, inode: `${dev}:${ino}` }).join('\n')}\n`);
    return ended;
  }

  class SharedMemoryName {
    constructor(readonly name: string) {}
    unlink(): void {
      using block = SharedMemory.attach(this.name);
      block.unlink();
    }
  }

  const gone = '4194303 1';
  const name = `multiprocess-test-${process.pid}`;

  it('ends with 0 when all was unlinked, and with 1 when something leaked', async () => {
    expect(await track(({ name, inode }) => [`+ ${gone} ${inode} ${name}`])).toBe(1);
    expect(there(name)).toBe(false);
    const me = `${process.pid} ${processStartTime(process.pid)}`;
    expect(await track(({ name, inode }) => [`+ ${me} ${inode} ${name}`, `- ${inode} ${name}`])).toBe(0);
    expect(there(name)).toBe(true);
  });

  it('leaves a name alone that means another block by now, and one that others answer for', async () => {
    expect(await track(({ name }) => [`+ ${gone} 1:1 ${name}`])).toBe(0);
    expect(there(name)).toBe(true);
  });

  it('takes a process id that was used again for another process', async () => {
    expect(await track(({ name, inode }) => [`+ ${process.pid} 1 ${inode} ${name}`])).toBe(1);
    expect(there(name)).toBe(false);
  });

  it('survives lines that mean nothing', async () => {
    expect(await track(() => ['', 'x', '+', '+ 1', '-', '- 1:1 nobody'])).toBe(0);
  });
});

describe('a SharedMemory that nobody holds any more', () => {
  it('is unmapped, and keeps its name', async () => {
    const mapped = (name: string) => readFileSync('/proc/self/maps', 'utf8').includes(name);
    const name = (() => new ShareableList([1, 2]).shm.name)();
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    await until(() => {
      collect();
      return !mapped(name);
    }, 'it is unmapped');
    using again = SharedMemory.attach(name);
    expect(mapped(name)).toBe(true);
    expect([...ShareableList.attach(name)]).toEqual([1, 2]);
    again.unlink();
  });
});
