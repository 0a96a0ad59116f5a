/** How many CPUs count, in trees of files like those that a kernel shows. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cpuCount, Pool, ThreadPool } from 'multiprocess';
import { afterEach, expect, it, vi } from 'vitest';
import { allowedCpus } from '../../src/platform/cpus-linux.js';
import { countCpus } from '../../src/util/cpu.js';

const trees: string[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

/** A tree of files; returns its root. */
function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'mp-cpu-'));
  trees.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const ALLOWED = (list: string) => ({
  'proc/thread-self/status': `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\nMems_allowed:\t1\n`,
});
const V2 =
  '30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';
const V1 = '33 24 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 - cgroup cgroup rw,cpu,cpuacct\n';

it('counts the CPUs of the affinity', () => {
  expect(countCpus('test', tree(ALLOWED('0-7')))).toBe(8);
  expect(countCpus('test', tree(ALLOWED('1,3-4,9')))).toBe(4);
  expect(allowedCpus(tree(ALLOWED('1,3-4,9')))).toEqual([1, 3, 4, 9]);
});

it('takes what the system says where the kernel shows nothing', () => {
  expect(countCpus('test', tree({}))).toBe(availableParallelism());
  expect(allowedCpus(tree({}))).toBeNull();
  expect(allowedCpus(tree(ALLOWED('none')))).toBeNull();
});

it.each([
  ['200000 100000', 2],
  ['150000 100000', 2],
  ['100001 100000', 2],
  ['10000 100000', 1],
  ['50000 10000', 5],
  ['max 100000', 8],
])('rounds a quota of version 2 up: %s', (max, expected) => {
  const files = {
    ...ALLOWED('0-7'),
    'proc/self/cgroup': '0::/app\n',
    'proc/self/mountinfo': V2,
    'sys/fs/cgroup/app/cpu.max': `${max}\n`,
  };
  expect(countCpus('test', tree(files))).toBe(expected);
});

it('is bound by the groups above its own', () => {
  const nested = {
    ...ALLOWED('0-15'),
    'proc/self/cgroup': '0::/pods/pod1/app\n',
    'proc/self/mountinfo': V2,
    'sys/fs/cgroup/pods/cpu.max': '800000 100000\n',
    'sys/fs/cgroup/pods/pod1/cpu.max': '250000 100000\n',
    'sys/fs/cgroup/pods/pod1/app/cpu.max': 'max 100000\n',
  };
  expect(countCpus('test', tree(nested))).toBe(3);
  const { 'sys/fs/cgroup/pods/pod1/cpu.max': _, ...outer } = nested;
  expect(countCpus('test', tree(outer))).toBe(8);
});

it('finds its group where a container has mounted only that', () => {
  const root = tree({
    ...ALLOWED('0-7'),
    'proc/self/cgroup': '0::/docker/abc/inner\n',
    'proc/self/mountinfo': V2.replace(' / /sys', ' /docker/abc /sys'),
    'sys/fs/cgroup/cpu.max': '300000 100000\n',
    'sys/fs/cgroup/inner/cpu.max': '200000 100000\n',
  });
  expect(countCpus('test', root)).toBe(2);
  // Of another part of the tree than what is mounted.
  const elsewhere = tree({
    ...ALLOWED('0-7'),
    'proc/self/cgroup': '0::/../other\n',
    'proc/self/mountinfo': V2,
    'sys/fs/cgroup/cpu.max': '300000 100000\n',
  });
  expect(countCpus('test', elsewhere)).toBe(3);
});

it.each([
  ['300000', '100000', 3],
  ['120000', '100000', 2],
  ['-1', '100000', 8],
])('reads quotas of version 1: %s of %s', (quota, period, expected) => {
  const root = tree({
    ...ALLOWED('0-7'),
    'proc/self/cgroup': '5:memory:/m\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n0::/docker/abc\n',
    'proc/self/mountinfo': `${V2.replace('/sys/fs/cgroup ', '/sys/fs/cgroup/unified ')}${V1.replace(' / /', ' /docker /')}`,
    'sys/fs/cgroup/cpu,cpuacct/abc/cpu.cfs_quota_us': `${quota}\n`,
    'sys/fs/cgroup/cpu,cpuacct/abc/cpu.cfs_period_us': `${period}\n`,
  });
  expect(countCpus('test', root)).toBe(expected);
});

it('is bound by affinity where the quota is wider', () => {
  const files = {
    ...ALLOWED('0-1'),
    'proc/self/cgroup': '0::/\n',
    'proc/self/mountinfo': V2,
    'sys/fs/cgroup/cpu.max': '1600000 100000\n',
  };
  expect(countCpus('test', tree(files))).toBe(2);
});

it('lives with files that make no sense', () => {
  const files = {
    ...ALLOWED('0-1'),
    'proc/self/cgroup': 'what\n::\n0::/a\n',
    'proc/self/mountinfo': `x - cgroup2\n${V2}\n`,
    'sys/fs/cgroup/a/cpu.max': 'lots\n',
  };
  expect(countCpus('test', tree(files))).toBe(2);
});

it('is what MULTIPROCESS_CPU_COUNT says, and so is the size of a pool', async () => {
  vi.stubEnv('MULTIPROCESS_CPU_COUNT', '3');
  expect(cpuCount()).toBe(3);
  for (const Kind of [Pool, ThreadPool]) {
    await using pool = new Kind();
    expect(pool.stats().processes).toBe(3);
  }
  for (const none of ['', 'default']) {
    vi.stubEnv('MULTIPROCESS_CPU_COUNT', none);
    expect(cpuCount()).toBe(countCpus('test'));
  }
});

it.each(['0', '-2', '1.5', 'two', '1e3', ' '])('refuses MULTIPROCESS_CPU_COUNT=%j by its name', (value) => {
  vi.stubEnv('MULTIPROCESS_CPU_COUNT', value);
  const expected = { code: 'MP_INVALID_ARGUMENT', message: expect.stringContaining('MULTIPROCESS_CPU_COUNT') };
  expect(() => cpuCount()).toThrow(expect.objectContaining(expected));
  expect(() => new Pool()).toThrow(expect.objectContaining(expected));
});

it('follows the affinity of this machine', () => {
  const program = `import('multiprocess').then(({ cpuCount }) => console.log(cpuCount()))`;
  const first = String(allowedCpus()![0]);
  const counted = execFileSync('taskset', ['-c', first, process.execPath, '-e', program], {
    encoding: 'utf8',
    cwd: process.cwd(),
  });
  expect(counted.trim()).toBe('1');
});
