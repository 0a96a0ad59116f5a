/** The package as npm installs it where no addon fits and no script may run. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fencesOf, promisedOutput } from '../support/samples.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const app = mkdtempSync(join(tmpdir(), 'multiprocess-packed-'));
const installed = join(app, 'node_modules', 'multiprocess');
/** What the package needs, and what a reader of README.md installs beside it. */
const DEPENDENCIES = ['acorn', 'msgpackr', 'piscina', 'rxjs', 'tslib'];

const npm = (words: string[], cwd: string) => run('npm', words, { cwd, timeout: 110_000 });
const pack = async (folder: string) =>
  (await npm(['pack', '--ignore-scripts', '--silent', '--pack-destination', app], folder)).stdout.trim();

// From archives alone: no registry is asked.
beforeAll(async () => {
  const archives: string[] = [];
  for (const name of DEPENDENCIES) archives.push(await pack(join(root, 'node_modules', name)));
  archives.push(await pack(root));
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }');
  const options = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--omit=optional', '--cache', './cache'];
  await npm(['install', ...options, ...archives.map((file) => `./${file}`)], app);
  // A release carries them; here stands a system that none is for.
  rmSync(join(installed, 'prebuilds'), { recursive: true, force: true });
}, 240_000);
afterAll(() => rmSync(app, { recursive: true }));

const systems = [process.platform, 'darwin', 'win32'];
/** Stands in for another system, of which none is at hand: only what looks at `process.platform` differs. */
const asPlatform = (name: string) =>
  `data:text/javascript,Object.defineProperty(process, 'platform', { value: '${name}' })`;
const node = async (program: string, ...options: string[]) => {
  writeFileSync(join(app, 'main.js'), program);
  const { stdout, stderr } = await run(process.execPath, [...options, 'main.js'], { cwd: app, timeout: 110_000 });
  return { stdout, stderr };
};

describe('the package, packed and installed without scripts', () => {
  it('names no system that it needs, and carries no addon', async () => {
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as object;
    expect(manifest).not.toHaveProperty('os');
    expect(manifest).not.toHaveProperty('cpu');
    expect(existsSync(join(installed, 'build'))).toBe(false);
  });

  it.each(systems)('loads every subpath on %s', { timeout: 120_000 }, async (name) => {
    const program = `
      import { readFileSync } from 'node:fs';
      const { exports } = JSON.parse(readFileSync('node_modules/multiprocess/package.json', 'utf8'));
      const { createRequire } = await import('node:module');
      const require = createRequire(import.meta.url);
      const brokers = new Set(['./distributed', './package.json']);
      for (const subpath of Object.keys(exports).filter((each) => !brokers.has(each))) {
        const specifier = 'multiprocess' + subpath.slice(1);
        const [imported, required] = [await import(specifier), require(specifier)];
        for (const key of Object.keys(required)) if (imported[key] !== required[key]) console.log(subpath, key);
      }
      console.log('all');`;
    expect(await node(program, '--import', asPlatform(name))).toEqual({ stdout: 'all\n', stderr: '' });
  });

  it.each(systems)("runs README's first example, in threads, on %s", { timeout: 120_000 }, async (name) => {
    const [first] = fencesOf('README.md');
    const program = `${first!.code}
      const { getAllStartMethods, getStartMethod } = await import('multiprocess');
      console.log(getAllStartMethods(), getStartMethod(), pool.stats().workers.length);`;
    const { stdout, stderr } = await node(program, '--import', asPlatform(name));
    expect(stderr).toBe('');
    expect(stdout).toBe(`${promisedOutput(first!)}\n[ 'thread' ] thread 0\n`);
  });

  it.each(systems)('says at the call what cannot work, why and what can, on %s', { timeout: 120_000 }, async (name) => {
    const program = `
      import { getContext, Process, SharedMemory, ThreadPool, UnsupportedError } from 'multiprocess';
      import { ensureRunning } from 'multiprocess/forkserver';
      import { resourceTracker } from 'multiprocess/resource-tracker';
      const calls = {
        spawn: () => new Process(() => {}, { context: 'spawn' }).start(),
        forkserver: () => getContext('forkserver'),
        fork: () => getContext('fork'),
        pin: () => new ThreadPool({ pin: true }),
        blocks: () => SharedMemory.create(8),
        tracker: () => resourceTracker.ensureRunning(),
        template: () => ensureRunning(),
      };
      for (const [name, call] of Object.entries(calls)) {
        const error = await Promise.resolve().then(call).then(() => new Error('It works.'), (error) => error);
        console.log(name + ':', error instanceof UnsupportedError && /^MP_(NO_ADDON|UNSUPPORTED)$/.test(error.code), error.message);
      }`;
    const { stdout } = await node(program, '--import', asPlatform(name));
    const lines = stdout.trim().split('\n');
    const names = ['spawn', 'forkserver', 'fork', 'pin', 'blocks', 'tracker', 'template'];
    expect(lines.map((line) => line.split(' ', 2).join(' '))).toEqual(names.map((each) => `${each}: true`));
    const platform =
      name === 'linux' ? /is not there for linux-\w+; build it with `npm rebuild/ : new RegExp(`\\b${name}\\b`);
    for (const line of lines) expect(line).toMatch(platform);
    const repairs = [
      /Use 'thread'\.$/,
      /Use 'thread'\.$/,
      /Use 'thread'\.$/,
      /leave `pin` out\.$/,
      /SharedArray.*share\(\)/,
      /leave the tracker out\.$/,
      /Use start method 'thread'\.$/,
    ];
    for (const [i, repair] of repairs.entries()) expect(lines[i]).toMatch(repair);
  });
});
