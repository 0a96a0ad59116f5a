/** A program starts children from wherever Node runs it: the child never runs its main file. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const hosts = fileURLToPath(new URL('../fixtures/process/hosts/', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const OUTPUT = 'main\nchild 42\ncode 0\n[ 5, 7 ]\n';

/** What a program prints, and its stderr without Node's warnings about experimental features. */
function run(
  args: string[],
  options: { input?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: options.cwd ?? root,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1', ...options.env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('close', (code) => resolve({ stdout, stderr, code }));
    child.stdin.end(options.input ?? '');
  });
}

/** A folder in which `multiprocess` is installed. */
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'multiprocess-hosts-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  mkdirSync(join(path, 'node_modules'));
  symlinkSync(root, join(path, 'node_modules', 'multiprocess'));
  return path;
}

const typeStripping = Number(process.versions.node.split('.')[0]) >= 24;

describe('children can be started from', () => {
  it('an ESM script', async () => {
    expect(await run([`${hosts}main.mjs`])).toEqual({ stdout: OUTPUT, stderr: '', code: 0 });
  });

  it('a CommonJS script', async () => {
    expect(await run([`${hosts}main.cjs`])).toEqual({ stdout: OUTPUT, stderr: '', code: 0 });
  });

  it('a script without a suffix', async () => {
    const path = folder();
    writeFileSync(join(path, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(path, 'main'), readFileSync(`${hosts}main.mjs`));
    expect(await run([join(path, 'main')])).toEqual({ stdout: OUTPUT, stderr: '', code: 0 });
  });

  it('a folder with a package.json', async () => {
    const path = folder();
    writeFileSync(join(path, 'package.json'), '{ "main": "./start.cjs" }');
    writeFileSync(join(path, 'start.cjs'), readFileSync(`${hosts}main.cjs`));
    expect(await run([path])).toEqual({ stdout: OUTPUT, stderr: '', code: 0 });
  });

  it('TypeScript under tsx', async () => {
    expect(await run(['--import', 'tsx', `${hosts}main.mts`])).toEqual({ stdout: OUTPUT, stderr: '', code: 0 });
  });

  it.runIf(typeStripping)("TypeScript under Node's type stripping", async () => {
    expect(await run([`${hosts}main.mts`])).toEqual({ stdout: OUTPUT, stderr: '', code: 0 });
  });

  it('node -e', async () => {
    const code = readFileSync(`${hosts}main.mjs`, 'utf8');
    expect(await run(['--input-type=module', '-e', code])).toEqual({ stdout: OUTPUT, stderr: '', code: 0 });
    expect(await run(['-e', readFileSync(`${hosts}main.cjs`, 'utf8')])).toEqual({
      stdout: OUTPUT,
      stderr: '',
      code: 0,
    });
  });

  it('a program with a client of the inspector', async () => {
    const client =
      "import inspector from 'node:inspector'; const client = new inspector.Session(); client.connect(); client.post('Runtime.enable');";
    const code = `${client} const { Pool } = await import('multiprocess'); const one = 1; const pool = new Pool({ processes: 1 });
      console.log(await pool.apply((x) => x + one, [4])); await pool.terminate();`;
    expect(await run(['--input-type=module', '-e', code])).toEqual({ stdout: '5\n', stderr: '', code: 0 });
  });

  it('standard input', async () => {
    const code = readFileSync(`${hosts}main.mjs`, 'utf8');
    expect(await run(['--input-type=module', '-'], { input: code })).toEqual({ stdout: OUTPUT, stderr: '', code: 0 });
  });

  it('the REPL, which waits for it when it is left', async () => {
    const lines = [
      "const { Process } = require('multiprocess')",
      'const factor = 3',
      "const child = new Process((x) => console.log('child', x * factor), { args: [14] })",
      'void child.start()',
    ];
    const { stdout } = await run(['-i'], { input: `${lines.join('\n')}\n` });
    expect(stdout).toContain('child 42\n');
  });

  it('a bundle that leaves the package out', async () => {
    const path = folder();
    const outfile = join(path, 'bundle.mjs');
    const esbuild = join(root, 'node_modules', '.bin', 'esbuild');
    execFileSync(esbuild, [
      `${hosts}main.mts`,
      `--outfile=${outfile}`,
      ...'--bundle --format=esm --platform=node --packages=external --log-level=error'.split(' '),
    ]);
    expect(await run([outfile], { cwd: path })).toEqual({ stdout: OUTPUT, stderr: '', code: 0 });
  });

  it('a process with a debugger port, a test runner or a watcher among its options, which are not passed on', async () => {
    const code =
      "import { Process } from 'multiprocess'; const p = await new Process(() => console.log(process.execArgv.join(' '))).start(); await p.join()";
    const { stdout } = await run(['--inspect=0', '--max-old-space-size=300', '--input-type=module', '-e', code]);
    expect(stdout).toBe('--max-old-space-size=300\n');
  });
});

describe('a child finds its environment as its parent did', () => {
  it('_TestSpawnedSysPath.test_child_sys_path: working directory, NODE_PATH, arguments, Node options and env of its own', async () => {
    const path = folder();
    mkdirSync(join(path, 'lib', 'found'), { recursive: true });
    writeFileSync(join(path, 'lib', 'found', 'index.js'), 'module.exports = "found by NODE_PATH"');
    writeFileSync(
      join(path, 'main.cjs'),
      `const { Process } = require('multiprocess');
       const show = () => console.log(process.cwd(), process.argv.slice(2).join(), require('found'), process.env.ONLY, process.env.HOME === undefined);
       new Process(show).start().then((p) => p.join()).then(async () => {
         const other = await new Process(() => console.log(process.execArgv.join(), Object.keys(process.env).join()), { execArgv: ['--stack-size=900'], env: { ONLY: '1' } }).start();
         await other.join();
       });`,
    );
    const { stdout, stderr } = await run([join(path, 'main.cjs'), 'a', 'b'], {
      cwd: path,
      env: { NODE_PATH: join(path, 'lib'), ONLY: 'yes' },
    });
    expect(stderr).toBe('');
    expect(stdout).toBe(`${path} a,b found by NODE_PATH yes false\n--stack-size=900 ONLY\n`);
  });

  it('_TestProcess.test_set_executable: the Node that runs children can be set, as text, bytes or URL', async () => {
    const path = folder();
    writeFileSync(
      join(path, 'main.mjs'),
      `import { Process } from 'multiprocess';
       import { getCommandLine, getExecutable, setExecutable } from 'multiprocess/spawn';
       import { pathToFileURL } from 'node:url';
       import { symlinkSync } from 'node:fs';
       symlinkSync(process.execPath, 'other-node');
       const own = getExecutable();
       const run = async () => { const p = await new Process(() => console.log(process.argv0.split('/').pop())).start(); console.log(await p.exited); };
       for (const as of [process.cwd() + '/other-node', Buffer.from(process.cwd() + '/other-node'), pathToFileURL('other-node')]) {
         setExecutable(as);
         console.log(getCommandLine()[0] === process.cwd() + '/other-node');
         await run();
       }
       setExecutable(null);
       console.log(getExecutable() === own);`,
    );
    const { stdout, stderr } = await run(['main.mjs'], { cwd: path });
    expect(stderr).toBe('');
    expect(stdout).toBe(`${'true\nother-node\n0\n'.repeat(3)}true\n`);
  });

  it('_TestProcess.test_error_on_stdio_flush_1, test_error_on_stdio_flush_2: it starts and exits 0 where stdout and stderr are closed, and breaks its own without harm', async () => {
    const code = `import { Process } from 'multiprocess'; import { closeSync } from 'node:fs';
      closeSync(1);
      const one = await new Process(() => console.log('lost')).start(); const first = await one.exited;
      const two = await new Process((close) => { close(1); close(2); }, { args: [closeSync] }).start();
      process.exit(first === 0 && (await two.exited) === 0 ? 5 : 6)`;
    expect((await run(['--input-type=module', '-e', code])).code).toBe(5);
  });
});
