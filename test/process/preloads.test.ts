/**
 * Modules that every child preloads, and programs that are run again: a child starts nothing on
 * their behalf.
 */

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { install, runNode } from '../support/installed-program.js';
import { startable } from '../support/needs.js';

const folder = fileURLToPath(new URL('../fixtures/programs/preloads/', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

const methods = startable('spawn', 'forkserver', 'thread');

describe.each(methods)('%s: a preloaded module', (method) => {
  const preload = (...options: string[]) => runNode([...options, 'program.mjs'], folder, { METHOD: method });

  it('that makes a pool while it loads: the pool gives up, with the reason', async () => {
    const { stdout, stderr } = await preload('--import', './pool.mjs');
    expect(stderr).toContain('MP_BOOTSTRAPPING');
    expect(stdout).toMatch(/^MP_\w+ .*\nMP_\w+ .*\nstarted \d\n$/);
  });

  it('in NODE_OPTIONS that makes a pool: the pool gives up too', async () => {
    const { stdout, stderr } = await runNode(['program.mjs'], folder, {
      METHOD: method,
      NODE_OPTIONS: '--import=./pool.mjs',
    });
    expect(stderr).toContain('MP_BOOTSTRAPPING');
    expect(stdout).toMatch(/started \d\n$/);
  });

  it('that starts a process while it loads is refused', async () => {
    const { stdout, stderr, code } = await preload('--import', './process.mjs');
    expect(stderr).toContain('MP_BOOTSTRAPPING');
    if (method === 'forkserver') expect(code).toBe(1);
    else expect(stdout).toBe('exit 1\n');
  });

  it.each([
    ['--require', './later.cjs'],
    ['--import', './timer.mjs'],
  ])('%s %s: that makes a pool later', async (...options) => {
    expect(await preload(...options)).toEqual({ stdout: '2\nMP_BOOTSTRAPPING\nstarted 2\n', stderr: '', code: 0 });
  });

  it('may start processes in the program itself, as the error advises', async () => {
    expect(await preload('--import', './guarded.mjs')).toEqual({
      stdout: '2\nundefined\nstarted 2\n',
      stderr: '',
      code: 0,
    });
  });
});

describe.each(methods)('%s: a program is not run again', (method) => {
  const esm = `
    import { Pool, Process } from 'multiprocess';
    console.log('program');
    export function task(x) { return x + 1; }
    export function child() { console.log('child'); }
    const pool = new Pool({ processes: 1, context: '${method}' });
    console.log(await pool.apply(task, [1]));
    await pool.terminate();
    await (await new Process(child, { context: '${method}' }).start()).join();`;
  const cjs = `
    const { Pool, Process } = require('multiprocess');
    console.log('program');
    exports.task = function task(x) { return x + 1; };
    exports.child = function child() { console.log('child'); };
    async function main() {
      const pool = new Pool({ processes: 1, context: '${method}' });
      console.log(await pool.apply(exports.task, [1]));
      await pool.terminate();
      await (await new Process(exports.child, { context: '${method}' }).start()).join();
    }
    main();`;
  const ONCE = { stdout: 'program\n2\nchild\n', stderr: '', code: 0 };

  it('named by its folder, whose package.json says which file it is', async () => {
    expect(
      await runNode(
        ['.'],
        install({ 'package.json': '{ "type": "module", "main": "src/start.js" }', 'src/start.js': esm }),
      ),
    ).toEqual(ONCE);
    expect(await runNode(['.'], install({ 'package.json': '{ "main": "src/start" }', 'src/start.js': cjs }))).toEqual(
      ONCE,
    );
  });

  it('named without its extension, or by a folder with an index', async () => {
    expect(await runNode(['start'], install({ 'start.js': cjs }))).toEqual(ONCE);
    expect(await runNode(['lib'], install({ 'lib/index.js': cjs }))).toEqual(ONCE);
  });

  it('imported by a launcher', async () => {
    expect(
      await runNode(
        ['launcher.mjs'],
        install({ 'launcher.mjs': "await import('./program.mjs');", 'program.mjs': esm }),
      ),
    ).toEqual(ONCE);
    expect(
      await runNode(['launcher.cjs'], install({ 'launcher.cjs': "require('./program.cjs');", 'program.cjs': cjs })),
    ).toEqual(ONCE);
  });
});

const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
const buildsApplications = major > 25 || (major === 25 && minor >= 5);

describe('an executable that runs the program again', () => {
  it.runIf(buildsApplications)(
    'a single executable application refuses, until a Node is named',
    { timeout: 60_000 },
    async () => {
      const path = mkdtempSync(join(tmpdir(), 'multiprocess-sea-'));
      onTestFinished(() => rmSync(path, { recursive: true, force: true }));
      cpSync(join(folder, 'application.cjs'), join(path, 'application.cjs'));
      writeFileSync(
        join(path, 'sea.json'),
        '{ "main": "application.cjs", "output": "application", "disableExperimentalSEAWarning": true }',
      );
      execFileSync(process.execPath, ['--build-sea', 'sea.json'], { cwd: path, stdio: 'ignore' });
      const child = spawn(join(path, 'application'), [root, process.execPath], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      expect(await text(child.stdout)).toBe(
        'program\nspawn MP_UNSUPPORTED\nforkserver MP_UNSUPPORTED\nmemory MP_UNSUPPORTED\nspawn 2\nmemory 8\n',
      );
    },
  );

  it.each(startable('spawn', 'forkserver'))('%s: stops there', async (method) => {
    // As a single executable application, or a launcher, would.
    const path = install({});
    const program = join(path, 'program.mjs');
    cpSync(join(folder, 'again.mjs'), program);
    writeFileSync(join(path, 'node'), `#!/bin/sh\n${process.execPath} ${program} ${method}\n`, { mode: 0o755 });
    const { stdout, stderr } = await runNode([program, method], path, {
      AGAIN: join(path, 'node'),
      RUNS: join(path, 'runs'),
    });
    expect(stderr).toContain('MP_BOOTSTRAPPING');
    expect(stdout).toMatch(/^MP_/);
    expect(readFileSync(join(path, 'runs'), 'utf8').length).toBeLessThan(12);
  });
});
