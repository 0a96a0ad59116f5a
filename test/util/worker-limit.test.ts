/** How many workers may be asked for: in trees of files like those that a kernel shows, and here. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { type ArgumentError, Pool, ThreadPool } from 'multiprocess';
import { Agent } from 'multiprocess/distributed';
import { afterEach, describe, expect, it } from 'vitest';
import { taskLimit } from '../../src/platform/tasks-linux.js';
import { workerLimit } from '../../src/util/worker-limit.js';

const trees: string[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

/** A tree of files; returns its root. */
function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'mp-tasks-'));
  trees.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const SYSTEM = { 'proc/sys/kernel/pid_max': '4194304\n', 'proc/sys/kernel/threads-max': '192729\n' };
const LIMITS =
  'Limit                     Soft Limit           Hard Limit           Units     \n' +
  'Max processes             500                  96364                processes \n';
const status = (capabilities: string) => ({
  'proc/self/status': `Name:\tnode\nCapEff:\t${capabilities}\nSeccomp:\t0\n`,
});
const V2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n';
const V1 = '33 24 0:29 / /sys/fs/cgroup/pids rw,nosuid shared:10 - cgroup cgroup rw,pids\n';
const MUCH = 2 ** 50;

describe('The tasks that a kernel lets there be', () => {
  it('are those of the system', () => {
    expect(taskLimit(tree(SYSTEM))).toEqual({ tasks: 192_729, source: 'kernel.threads-max' });
    expect(taskLimit(tree({ ...SYSTEM, 'proc/sys/kernel/pid_max': '32768\n' }))).toEqual({
      tasks: 32_768,
      source: 'kernel.pid_max',
    });
  });

  it('are those of the user, unless a capability lifts that', () => {
    const user = { ...SYSTEM, 'proc/self/limits': LIMITS };
    const expected = { tasks: 500, source: 'RLIMIT_NPROC, `ulimit -u`' };
    expect(taskLimit(tree({ ...user, ...status('0000000000000000') }))).toEqual(expected);
    expect(taskLimit(tree({ ...user, ...status('00000000a80425fb') }))).toEqual(expected);
    expect(taskLimit(tree({ ...user, ...status('000001ffffffffff') }))?.tasks).toBe(192_729);
    const unlimited = LIMITS.replace(' 500 ', ' unlimited ');
    expect(taskLimit(tree({ ...SYSTEM, 'proc/self/limits': unlimited }))?.tasks).toBe(192_729);
  });

  it.each([
    ['version 2', '0::/app/worker\n', V2, 'sys/fs/cgroup/app/pids.max', 'sys/fs/cgroup/app/worker/pids.max'],
    [
      'version 1',
      '8:pids:/app/worker\n',
      V1,
      'sys/fs/cgroup/pids/app/pids.max',
      'sys/fs/cgroup/pids/app/worker/pids.max',
    ],
  ])('are those of a control group of %s, and of the groups above it', (_version, group, mountinfo, above, own) => {
    const files = { ...SYSTEM, 'proc/self/cgroup': group, 'proc/self/mountinfo': mountinfo };
    expect(taskLimit(tree({ ...files, [own]: '64\n', [above]: '100\n' }))).toEqual({
      tasks: 64,
      source: `pids.max of /${dirname(own)}`,
    });
    expect(taskLimit(tree({ ...files, [own]: 'max\n', [above]: '100\n' }))).toEqual({
      tasks: 100,
      source: `pids.max of /${dirname(above)}`,
    });
  });

  it('are unknown where the kernel shows nothing', () => {
    expect(taskLimit(tree({}))).toBeNull();
  });
});

describe('The workers that there can be', () => {
  it('are bounded by tasks or by memory, whichever is less', () => {
    expect(workerLimit(tree(SYSTEM), MUCH)).toEqual({
      most: 192_729,
      why: 'the system has that many processes and threads at once (kernel.threads-max)',
    });
    expect(workerLimit(tree(SYSTEM), 512 * 2 ** 20)).toEqual({
      most: 128,
      why: 'each takes at least 4 MB of memory, and there are 512 MB here',
    });
    expect(workerLimit(tree({}), 2 ** 30).most).toBe(256);
  });

  it('are one where there is next to no memory', () => {
    expect(workerLimit(tree(SYSTEM), 1).most).toBe(1);
  });
});

describe('More workers than there can be', () => {
  const TOO_MANY = /`processes` must be at most [1-9]\d*, not 1000000000: (each takes|the system has) /;
  const refusal = {
    name: 'ArgumentError',
    code: 'MP_INVALID_ARGUMENT',
    message: expect.stringMatching(TOO_MANY),
  };
  const thrown = (call: () => unknown): ArgumentError => {
    try {
      call();
    } catch (error) {
      return error as ArgumentError;
    }
    throw new Error('It was not refused.');
  };

  it('are refused by the pools, before one is started', () => {
    expect(thrown(() => new Pool({ processes: 1e9 }))).toMatchObject(refusal);
    expect(thrown(() => new ThreadPool({ processes: 1e9 }))).toMatchObject(refusal);
    // Also where they were to be started on demand.
    expect(thrown(() => new Pool({ processes: 1e9, minProcesses: 0 }))).toMatchObject(refusal);
    expect(thrown(() => new Pool({ processes: 1, minProcesses: 1e9 })).message).toMatch(/must be at most `processes`/);
  });

  it('are refused by resize(), which leaves the pool as it was', async () => {
    await using pool = new ThreadPool({ processes: 1 });
    await expect(pool.resize(1e9)).rejects.toMatchObject(refusal);
    expect(await pool.apply((n: number) => n + 1, [1])).toBe(2);
  });

  it('are refused by an agent, before it asks for its broker', async () => {
    await expect(Agent.start({ servers: 'nats://127.0.0.1:1', name: 'many', processes: 1e9 })).rejects.toMatchObject(
      refusal,
    );
    const bin = new URL('../../bin/multiprocess.js', import.meta.url).pathname;
    const words = ['agent', '--servers', 'nats://127.0.0.1:1', '--name', 'many', '--processes', '1000000000'];
    const { status, stderr } = spawnSync(process.execPath, [bin, ...words], { encoding: 'utf8' });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(TOO_MANY);
  });

  it('are refused by the name of the variable that asks for them', () => {
    const program =
      "import { Pool } from 'multiprocess'; try { new Pool(); } catch (error) { console.log(error.message); }";
    const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
      encoding: 'utf8',
      env: { ...process.env, MULTIPROCESS_CPU_COUNT: '1000000000' },
    });
    expect(said).toMatch(/^Pool: `MULTIPROCESS_CPU_COUNT` must be at most \d+, not 1000000000: /);
  });

  it('are more than the memory of this machine holds', () => {
    expect(workerLimit().most).toBeLessThanOrEqual(totalmem() / (4 * 2 ** 20));
  });
});
