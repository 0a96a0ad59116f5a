/**
 * Nothing starts processes without end: what a child does while it loads modules ends it, is
 * refused, or is counted, and no child runs the program's main file again.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { COUNT, countRuns, install, processesOf, runCounted } from '../support/installed-program.js';
import { itNeeds, startable } from '../support/needs.js';
import { until } from '../support/until.js';

const methods = startable('spawn', 'forkserver', 'thread');

let folder = '';
/** Runs a program of these files. */
const run = (files: Record<string, string>, args: string[], env: NodeJS.ProcessEnv = {}) => {
  folder = install(files);
  return runCounted(args, folder, env);
};

afterEach(async () => {
  if (folder !== '') await until(() => processesOf(folder).length === 0, 'all processes of the program have ended');
  folder = '';
});

describe.each(methods)('%s: a module that ends its process while it loads', (method) => {
  /** Only in children: the program itself loads it too. */
  const lib = (end: string) => `
    import { isMainThread } from 'node:worker_threads';
    process.env.FIRST ??= String(process.pid);
    export const f = (x) => x + 1;
    if (process.env.FIRST !== String(process.pid) || !isMainThread) { ${COUNT} ${end} }`;
  const program = (body: string) => `
    import { Pool, Process } from 'multiprocess';
    import { BaseManager } from 'multiprocess/managers';
    import { f } from './lib.mjs';
    const context = '${method}';
    const show = (error) => console.log(error.code);
    ${body}`;
  const pool = (options: string, body: string) =>
    program(`const pool = new Pool({ processes: 2, context${options} }); ${body}; await pool.terminate();`);
  // A signal and an abort would end a thread's process too.
  const ends = [
    'process.exit(1);',
    'process.exit(0);',
    'await new Promise((later) => setTimeout(later, 5)); process.exit(3);',
    ...(method === 'thread' ? [] : ["process.kill(process.pid, 'SIGKILL');", 'process.abort();']),
  ];

  it.each(ends)('%s: a call fails with WorkerCrashError', async (end) => {
    const { stdout } = await run(
      { 'lib.mjs': lib(end), 'main.mjs': pool('', 'await pool.apply((x) => f(x), [1]).catch(show)') },
      ['main.mjs'],
    );
    expect(stdout).toBe('MP_WORKER_CRASH\n');
    expect(countRuns(folder)).toBe(1);
  });

  it.each([
    ['its function', 'await pool.apply((x) => f(x), [1], { retries: Infinity }).catch(show)'],
    ['its arguments', 'await pool.apply((g) => g(1), [f], { retries: Infinity }).catch(show)'],
    ['the function of a map', 'await pool.map((x) => f(x), [1, 2, 3], { retries: Infinity }).catch(show)'],
  ])('a call whose %s need it is given up, however many retries it has', async (_, body) => {
    const { stdout } = await run({ 'lib.mjs': lib('process.exit(1);'), 'main.mjs': pool('', body) }, ['main.mjs']);
    expect(stdout).toBe('MP_WORKER_CRASH\n');
    expect(countRuns(folder)).toBeLessThanOrEqual(4);
  });

  it('a pool whose initializer loads it fails', async () => {
    const { stdout } = await run(
      {
        'lib.mjs': lib('process.exit(1);'),
        'main.mjs': pool(', initializer: () => f(1)', 'await pool.apply(() => 1).catch(show)'),
      },
      ['main.mjs'],
    );
    expect(stdout).toBe('MP_WORKER_CRASH\n');
    expect(countRuns(folder)).toBeLessThanOrEqual(4);
  });

  it('a Process ends with that exit code, the start of a manager rejects', async () => {
    const { stdout } = await run(
      {
        'lib.mjs': lib('process.exit(7);'),
        'main.mjs': program(`
          console.log(await (await new Process((x) => f(x), { args: [1], context }).start()).exited);
          class Own extends BaseManager.with({ One: () => f(1) }) {}
          await new Own({ context }).start().catch(show);`),
      },
      ['main.mjs'],
    );
    expect(stdout).toBe('7\nMP_SERVER_START\n');
    expect(countRuns(folder)).toBe(2);
  });
});

describe.each(methods)('%s: what a module starts that a child loads is refused', (method) => {
  // The program's functions are exported, so that children load its file: it is not the one that
  // Node was started with.
  const program = (start: string, call = 'main();') => `
    import { Pool, Process, manager } from 'multiprocess';
    ${COUNT}
    const context = '${method}';
    export async function task() { await new Promise((later) => setTimeout(later, 200)); }
    async function main() {
      await new Promise((later) => setTimeout(later, 20));
      ${start}
    }
    ${call}`;
  const launcher = { 'launcher.mjs': "await import('./program.mjs');" };

  it.each([
    ['a process', 'console.log(await (await new Process(task, { context }).start()).exited);', '1\n'],
    [
      'a pool',
      'const pool = new Pool({ processes: 2, context }); await pool.map(task, [1, 2, 3]).catch(({ code, cause }) => console.log(code)); await pool.terminate();',
      'MP_WORKER_CRASH\n',
    ],
    [
      'a manager',
      'await manager({ context }); console.log(await (await new Process(task, { context }).start()).exited); process.exit();',
      '1\n',
    ],
  ])('%s, out of what the module began while it loaded', async (_, start, printed) => {
    const { stdout, stderr } = await run({ ...launcher, 'program.mjs': program(start) }, ['launcher.mjs']);
    expect(stdout).toBe(printed);
    expect(stderr).toContain('MP_BOOTSTRAPPING');
    expect(countRuns(folder)).toBeLessThanOrEqual(6);
  });

  it('a module that starts it in the first process only is not refused, as the error advises', async () => {
    const start = 'console.log(await (await new Process(task, { context }).start()).exited);';
    const guarded = `import { currentProcess } from 'multiprocess';\n${program(start, "if (currentProcess().name === 'MainProcess') main();")}`;
    const { stdout, stderr } = await run({ ...launcher, 'program.mjs': guarded }, ['launcher.mjs']);
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
    expect(countRuns(folder)).toBe(2);
  });

  it('a task may start processes, also by a module that it has loaded', async () => {
    const lib = `
      import { Process } from 'multiprocess';
      ${COUNT}
      export const nothing = () => {};
      export async function nested() { return (await new Process(nothing, { context: '${method}' }).start()).exited; }`;
    const main = `
      import { Pool } from 'multiprocess';
      import { nested } from './lib.mjs';
      const pool = new Pool({ processes: 1, context: '${method}' });
      console.log(await pool.apply(nested), await pool.apply(() => nested()));
      await pool.terminate();`;
    const { stdout, stderr } = await run({ 'lib.mjs': lib, 'main.mjs': main }, ['main.mjs']);
    expect({ stdout, stderr }).toEqual({ stdout: '0 0\n', stderr: '' });
  });
});

describe('a child never runs the main file', () => {
  const task = 'export function task(x) { return x + 1; }';
  const use =
    'const pool = new Pool({ processes: 1 }); console.log(await pool.apply(task, [1])); await new Promise((later) => setTimeout(later, 50)); await pool.terminate();';

  it.each(["process.argv[1] = 'other';", 'process.argv = [];', 'process.argv.length = 1;'])(
    'of a program that has changed its arguments: %s',
    async (change) => {
      const main = `import { Pool } from 'multiprocess'; ${COUNT} ${task} async function main() { await 0; ${change} ${use} } main();`;
      expect(await run({ 'main.mjs': main }, ['main.mjs'])).toEqual({ stdout: '2\n', stderr: '', code: 0 });
      expect(countRuns(folder)).toBe(1);
    },
  );

  it('also where the parent is a worker of a cluster, or a worker thread', async () => {
    const worker = `import { Pool } from 'multiprocess'; ${COUNT} ${task} ${use}`;
    const thread =
      "import { Worker } from 'node:worker_threads'; new Worker(new URL('./worker.mjs', import.meta.url));";
    expect(await run({ 'main.mjs': thread, 'worker.mjs': worker }, ['main.mjs'])).toMatchObject({
      stdout: '2\n',
      code: 0,
    });
    expect(countRuns(folder)).toBe(1);
    const cluster = `import cluster from 'node:cluster'; import { Pool } from 'multiprocess'; ${COUNT} ${task}
      if (cluster.isPrimary) cluster.fork(); else { ${use} process.exit(); }`;
    expect(await run({ 'main.mjs': cluster }, ['main.mjs'])).toMatchObject({ stdout: '2\n', code: 0 });
    expect(countRuns(folder)).toBe(2);
  });

  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  const isolation =
    major > 23 || (major === 23 && minor >= 6) ? '--test-isolation=none' : '--experimental-test-isolation=none';
  it.runIf(major > 22 || (major === 22 && minor >= 8))(
    'also where the parent is a test file that shares its process',
    async () => {
      const test = `import test from 'node:test'; import { Pool } from 'multiprocess'; ${COUNT} ${task} test('one', async () => { ${use} });`;
      const { stdout, code } = await run({ 'one.test.mjs': test, 'two.test.mjs': test }, ['--test', isolation]);
      expect(code).toBe(0);
      expect(stdout.match(/^2$/gm)).toHaveLength(2);
      expect(countRuns(folder)).toBe(2);
    },
  );
});

describe('an executable that is no plain Node', () => {
  itNeeds('forks')("Electron's runs as Node by ELECTRON_RUN_AS_NODE, which children do not inherit", async () => {
    const main = `
      import { Pool, SharedMemory } from 'multiprocess';
      ${COUNT}
      Object.defineProperty(process.versions, 'electron', { value: '99.0.0' });
      process.execPath = new URL('./electron', import.meta.url).pathname;
      for (const context of ['spawn', 'forkserver']) {
        const pool = new Pool({ processes: 1, context });
        console.log(await pool.apply(() => [process.env.ELECTRON_RUN_AS_NODE, process.env.MULTIPROCESS_STARTING].join()));
        await pool.terminate();
      }
      const memory = SharedMemory.create(8);
      memory.close();
      memory.unlink();`;
    folder = install({ 'main.mjs': main, electron: '' });
    const electron = join(folder, 'electron');
    writeFileSync(
      electron,
      `#!/bin/sh\n[ "$ELECTRON_RUN_AS_NODE" = 1 ] && exec ${process.execPath} "$@"\nexec ${process.execPath} ${join(folder, 'main.mjs')}\n`,
    );
    chmodSync(electron, 0o755);
    expect(await runCounted(['main.mjs'], folder)).toEqual({ stdout: ',\n,\n', stderr: '', code: 0 });
    expect(countRuns(folder)).toBe(1);
  });

  itNeeds('forks').each([
    ['pkg', "process.pkg = { entrypoint: '/snapshot/main.js' };"],
    ['nexe', 'process.__nexe = {};'],
  ])('that of %s is refused at once, until a Node is named', async (name, pretend) => {
    const main = `
      ${pretend}
      const { Pool } = await import('multiprocess');
      const { setExecutable } = await import('multiprocess/spawn');
      const refused = (context) => { try { new Pool({ context }); } catch (error) { console.log(error.code, error.message); } };
      refused('spawn');
      refused('forkserver');
      setExecutable(process.execPath);
      const pool = new Pool({ processes: 1 });
      console.log(await pool.apply(() => 1));
      await pool.terminate();`;
    const { stdout, stderr } = await run({ 'main.mjs': main }, ['main.mjs']);
    expect(stderr).toBe('');
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines.slice(0, 2))
      expect(line).toMatch(new RegExp(`^MP_UNSUPPORTED .*made by ${name}.*setExecutable.*ThreadPool`));
    expect(lines[2]).toBe('1');
  });
});
