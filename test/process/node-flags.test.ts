/** What Node's own options keep from the library is told with the option that helps. */
import { expect, it } from 'vitest';
import { install, processesOf, runCounted } from '../support/installed-program.js';
import { itNeeds, withForks } from '../support/needs.js';
import { until } from '../support/until.js';

const PROGRAM = `
  import { Pool } from 'multiprocess';
  for (const context of ['spawn', 'forkserver', 'thread']) {
    try {
      const pool = new Pool({ processes: 1, context });
      console.log(context, await pool.apply(() => 1));
      await pool.terminate();
    } catch (error) {
      console.log(context, error.code, error.message);
    }
  }
  process.exit();`;

/** What each start method says. */
async function told(...options: string[]): Promise<Record<'spawn' | 'forkserver' | 'thread', string>> {
  const { stdout } = await runCounted([...options, 'main.mjs'], install({ 'main.mjs': PROGRAM }));
  expect(stdout).not.toMatch(/\.\.|ulimit|npm rebuild/);
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => [line.split(' ', 1)[0], line]),
  ) as never;
}

const permission = Number(process.versions.node.split('.')[0]) < 22 ? '--experimental-permission' : '--permission';
const reads = '--allow-fs-read=*';

it('--no-addons: threads work, and are advised', async () => {
  const { spawn, forkserver, thread } = await told('--no-addons');
  for (const line of [spawn, forkserver])
    expect(line).toMatch(/MP_NO_ADDON .*--no-addons; start it without\. Use 'thread'\.$/);
  expect(thread).toBe('thread 1');
});

it('--permission without --allow-addons: threads work, and the error names the option', async () => {
  const { spawn, forkserver, thread } = await told(permission, reads, '--allow-worker');
  for (const line of [spawn, forkserver])
    expect(line).toMatch(/MP_NO_ADDON .*--permission; add --allow-addons\. Use 'thread'\.$/);
  expect(thread).toBe('thread 1');
});

it('--permission without --allow-child-process or --allow-worker: a start names the option', async () => {
  const { spawn, forkserver, thread } = await told(permission, reads, '--allow-addons');
  expect(spawn).toMatch(
    /MP_SPAWN .*--permission; add --allow-child-process, or use start method 'thread' with --allow-worker\.$/,
  );
  if (withForks) expect(forkserver).toContain('--permission; add --allow-child-process');
  expect(thread).toMatch(/MP_SPAWN .*--permission; add --allow-worker\.$/);
});

itNeeds('forks')(
  '--frozen-intrinsics: the forkserver is refused at once, spawned children and threads work',
  async () => {
    const { spawn, forkserver, thread } = await told('--frozen-intrinsics');
    expect(forkserver).toMatch(
      /MP_UNSUPPORTED .*`Math` is frozen \(--frozen-intrinsics\).* Use 'spawn' or 'thread'\.$/,
    );
    expect([spawn, thread]).toEqual(['spawn 1', 'thread 1']);
  },
);

const HOOKS = `
  import { register } from 'node:module';
  register('data:text/javascript,export async function resolve(specifier, context, next) { return next(specifier, context); }');
`;

itNeeds('forks')(
  'module hooks on a thread: the forkserver says so, without waiting for a fork that hangs',
  async () => {
    const main = `
    import { Process } from 'multiprocess';
    try {
      await new Process(() => {}, { context: 'forkserver' }).start();
    } catch (error) {
      console.log(error.code, error.message);
    }`;
    const folder = install({ 'main.mjs': main, 'hooks.mjs': HOOKS });
    const { stdout, code } = await runCounted(['--import', './hooks.mjs', 'main.mjs'], folder);
    expect(stdout).toMatch(
      /^MP_UNSUPPORTED The forkserver cannot be used here: .*module hooks that run on a thread of their own.*spawn/,
    );
    expect(code).toBe(0);
    await until(() => processesOf(folder).length === 0, 'the template has ended');
  },
);

it('a program that ends while its template begins leaves no process', async () => {
  const main =
    "import { ensureRunning } from 'multiprocess/forkserver'; ensureRunning(); setTimeout(() => process.exit(), 200);";
  for (const options of [[], ['--import', './hooks.mjs']]) {
    const folder = install({ 'main.mjs': main, 'hooks.mjs': HOOKS });
    await runCounted([...options, 'main.mjs'], folder);
    await until(() => processesOf(folder).length === 0, 'the template and its first fork have ended');
  }
});
