/** Where code without a file, worker threads and restricted processes come from. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileLibrary } from './support/compiled.js';

const library = compileLibrary();
const table = new URL('./support/table.mjs', import.meta.url).href;
const major = Number(process.versions.node.split('.')[0]);

function node(args: readonly string[], input = ''): { stdout: string; stderr: string } {
  const env = { ...process.env, NODE_NO_WARNINGS: '1', NODE_OPTIONS: '' };
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    env,
    input,
    encoding: 'utf8',
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  return { stdout, stderr };
}

/** Sends a closure to the process itself and prints what it returns there. */
const program = `
  const { encode, decode } = await import(${JSON.stringify(table)});
  const library = await import(${JSON.stringify(library)});
  const factor = 6;
  const helper = (n) => n * factor;
  const [f] = await decode(encode([(n) => helper(n) + 1], library), library);
  console.log('result', f(7));
`;

describe('Closures are read', () => {
  test('in --eval, as a module', () =>
    expect(node(['--input-type=module', '-e', program])).toMatchObject({ stdout: 'result 43\n' }));

  test('in --eval, as a script', () =>
    expect(node(['-e', `(async () => {${program}})()`])).toMatchObject({ stdout: 'result 43\n' }));

  test('from standard input', () =>
    expect(node(['--input-type=module', '-'], program)).toMatchObject({ stdout: 'result 43\n' }));

  test('in the REPL', () => {
    const lines = [
      'const factor = 6',
      'let helper = (n) => n * factor',
      `Promise.all([import(${JSON.stringify(table)}), import(${JSON.stringify(library)})])` +
        '.then(async ([{ encode, decode }, library]) => (await decode(encode([(n) => helper(n) + 1], library), library))[0](7))' +
        ".then((n) => console.log('result', n), console.log).finally(() => process.exit())",
    ];
    const start = `
      const input = new (require('node:stream').PassThrough)();
      require('node:repl').start({ input, output: process.stdout, useGlobal: true });
      for (const line of ${JSON.stringify(lines)}) input.write(line + '\\n');`;
    expect(node(['-e', start]).stdout).toContain('result 43');
  });

  test('in a worker thread', () => {
    const folder = mkdtempSync(join(tmpdir(), 'functions-'));
    try {
      writeFileSync(join(folder, 'thread.mjs'), program);
      writeFileSync(
        join(folder, 'main.mjs'),
        `import { Worker } from 'node:worker_threads';\nnew Worker(new URL('./thread.mjs', import.meta.url));`,
      );
      expect(node([join(folder, 'main.mjs')])).toMatchObject({ stdout: 'result 43\n' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('in the main file, whose exports go by value', () => {
    const folder = mkdtempSync(join(tmpdir(), 'functions-'));
    try {
      writeFileSync(
        join(folder, 'main.mjs'),
        `export const exported = () => 1;\n${program}\nconsole.log(library.reduceFunction(exported).kind);`,
      );
      expect(node([join(folder, 'main.mjs')]).stdout).toBe('result 43\nfunction\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('Reading closures', () => {
  test('leaves no trace on the speed of promises: the Debugger domain is off again', () => {
    const check = `${program}
      const { Session } = await import('node:inspector');
      const session = new Session();
      session.connect();
      let parsed = 0;
      session.on('Debugger.scriptParsed', () => parsed++);
      new Function('return 1')();
      console.log('parsed', parsed);`;
    expect(node(['--input-type=module', '-e', check]).stdout).toBe('result 43\nparsed 0\n');
  });

  test('does so after it paused for the `this` of a method, and after functions made from text', () => {
    const check = `
      const library = await import(${JSON.stringify(library)});
      class Scaler { by = 2; send() { return library.reduceFunction((x) => x * this.by); } }
      const { children } = new Scaler().send();
      library.reduceFunction(new Function('c', 'return (x) => x + c')(1));
      library.reduceFunction((0, eval)('(y) => (x) => x + y')(1));
      const { Session } = await import('node:inspector');
      const session = new Session();
      session.connect();
      let parsed = 0;
      session.on('Debugger.scriptParsed', () => parsed++);
      session.on('Debugger.paused', () => parsed++);
      new Function('return 1')();
      console.log(children.length, 'parsed', parsed);`;
    expect(node(['--input-type=module', '-e', check]).stdout).toBe('1 parsed 0\n');
  });

  test.runIf(major >= 24)('needs the inspector, and the refusal under the permission model names the flag', () => {
    const check = `
      const library = await import(${JSON.stringify(library)});
      const factor = 2;
      try { library.reduceFunction(() => factor); } catch (error) { console.log(error.code, /--allow-inspector/.test(error.message)); }
      console.log(library.reduceFunction((n) => Math.max(n, 0)).kind, library.reduceFunction(library.task({ factor }, (c, n) => n * c.factor)).kind);`;
    const { stdout, stderr } = node(['--permission', '--allow-fs-read=*', '--input-type=module', '-e', check]);
    expect(stderr).toBe('');
    expect(stdout).toBe('MP_INSPECTOR_UNAVAILABLE true\nfunction task\n');
  });
});
