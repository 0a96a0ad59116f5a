import { describe, expect, it, onTestFinished } from 'vitest';
import { ProcessError } from '../../src/errors/index.js';
import { createMemory } from '../../src/native/index.js';
import { launch } from '../../src/process/index.js';
import { type FixtureProcess, startFixture } from '../support/fixture-process.js';
import { owned } from '../support/native-resources.js';

interface Said {
  name: string;
  parentPid: number;
  pid: number;
  ppid: number;
  argv: string[];
  execArgv: string[];
  nodeOptions: string;
  passed: { target: string; closeOnExec: boolean }[];
}

const said = async (process: FixtureProcess): Promise<any> => JSON.parse((await process.line())!);

/** A parent that starts a child with two memory files. */
function start(does: string, env?: Record<string, string>): FixtureProcess {
  const fds = ['first', 'second'].map((name) => owned(createMemory(name, 64)));
  return startFixture('process/parent.mjs', { args: [does, 3, 4], fds, ...(env === undefined ? {} : { env }) });
}

describe('a child that was spawned', () => {
  it('knows its name and its parent, and sees no arguments of ours', async () => {
    const parent = start('end');
    const child: Said = await said(parent);
    expect(child.name).toBe('Fixture-1');
    expect(child.parentPid).toBe(parent.child.pid);
    expect(child.ppid).toBe(parent.child.pid);
    expect(child.argv).toEqual([expect.stringMatching(/child\.mjs$/)]);
    expect(await parent.ended).toBe(0);
  });

  it('has the descriptors in their order, and they are close-on-exec', async () => {
    const parent = start('end');
    const child: Said = await said(parent);
    expect(child.passed).toEqual([
      { target: expect.stringContaining('multiprocess-first'), closeOnExec: true },
      { target: expect.stringContaining('multiprocess-second'), closeOnExec: true },
    ]);
    expect(await parent.ended).toBe(0);
  });

  it('does not pass its descriptors to programs that it starts', async () => {
    const parent = start('spawn');
    await said(parent);
    const after = await said(parent);
    expect(after.grandchild).toEqual([]);
    expect(after.here).toBeGreaterThanOrEqual(5);
    expect(await parent.ended).toBe(0);
  });

  it('inherits the options in NODE_OPTIONS, but for those of the parent alone', async () => {
    const parent = start('end', { NODE_OPTIONS: '--max-old-space-size=200 --inspect-port=0' });
    const child: Said = await said(parent);
    expect(child.nodeOptions).toBe('--max-old-space-size=200');
    expect(child.execArgv).toEqual([]);
    expect(await parent.ended).toBe(0);
  });

  it('dies with its parent, also by SIGKILL', async () => {
    const parent = start('stay');
    const child: Said = await said(parent);
    onTestFinished(() => {
      try {
        process.kill(child.pid, 'SIGKILL');
      } catch {
        // It is gone, as it should be.
      }
    });
    parent.child.kill('SIGKILL');
    // `ended` waits for the end of its output, which the child holds open too.
    expect(await parent.ended).toBe('SIGKILL');
  });

  it('ends at once when its parent is gone already', async () => {
    const orphan = startFixture('process/child.mjs', { args: [1, 'Orphan-1'] });
    expect(await orphan.line()).toBeNull();
    expect(await orphan.ended).toBe(1);
  });
});

it('a process that the system refuses is a ProcessError that names it', () => {
  const start = () => launch('spawn', { entry: new URL('file:///nowhere.mjs'), name: 'x'.repeat(200_000) });
  expect(start).toThrow(ProcessError);
  expect(start).toThrow(
    expect.objectContaining({ code: 'MP_SPAWN', cause: expect.objectContaining({ code: 'E2BIG' }) }),
  );
});
