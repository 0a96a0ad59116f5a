/**
 * Every case of `torture/cases.mjs` in every host: wherever a function was compiled, it is read, sent to a process and to a
 * thread, and runs there as it runs here. A host that does not exist on this version of Node is skipped by name.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';

const folder = fileURLToPath(new URL('./torture/', import.meta.url));
const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));
const out = fileURLToPath(new URL('../../.build/torture/', import.meta.url));
const esbuild = fileURLToPath(import.meta.resolve('esbuild/bin/esbuild'));
const vitest = fileURLToPath(new URL('./vitest.mjs', import.meta.resolve('vitest/package.json')));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const stripsTypes = major > 22 || (major === 22 && minor >= 18);

interface Result {
  readonly title: string;
  readonly transport: 'process' | 'thread' | 'thread pool';
  readonly failure?: string;
}

interface Host {
  readonly args: () => readonly string[];
  readonly input?: () => string;
  /** Whether the cases run from their own files. */
  readonly files?: boolean;
  /** Why it cannot run on this version of Node. */
  readonly missing?: string | false;
  /** Why there is no thread to send to. */
  readonly noThreads?: string | false;
  /** Cases that this host cannot have. */
  readonly skip?: readonly string[];
  /** At least so many cases. */
  readonly cases?: number;
}

const main = join(folder, 'main.mjs');
const module = ['--input-type=module'];
const vitestArgs = (pool: string) => [vitest, 'run', '--config', join(folder, 'vitest.config.mjs'), `--pool=${pool}`];

const hosts: Readonly<Record<string, Host>> = {
  'an ES module': { args: () => [main] },
  'a CommonJS file': { args: () => [join(folder, 'main.cjs')], cases: 10 },
  'a worker thread': { args: () => [join(folder, 'in-thread.mjs')] },
  'an ES module under --inspect': {
    args: () => ['--inspect=127.0.0.1:0', main],
    // A debugger may be attached, which would take the pause for its own.
    skip: ['the `this` of the method that sends', '2: the `this` of a class field that is an arrow, from a method'],
  },
  'an esbuild bundle, ESM': { args: () => [join(out, 'bundle.mjs')], files: false },
  'an esbuild bundle, CommonJS': { args: () => [join(out, 'bundle.cjs')], files: false },
  '--eval, ESM': { args: () => [...module, '-e', bundled('mjs')], files: false },
  '--eval, CommonJS': { args: () => ['-e', bundled('cjs')], files: false },
  'standard input': { args: () => [...module, '-'], input: () => bundled('mjs'), files: false },
  'the REPL': { args: () => ['-e', repl], files: false },
  tsx: {
    args: () => ['--import', 'tsx', join(out, 'typescript/torture/main.mts')],
    files: false,
    noThreads: major < 22 && 'tsx loads no TypeScript in the threads of this Node',
  },
  'TypeScript that Node strips': {
    args: () => [join(out, 'typescript/torture/main.mts')],
    files: false,
    missing: !stripsTypes && 'this Node does not strip types',
  },
  'node --test': { args: () => ['--test', join(folder, 'cases.node-test.mjs')] },
  'node --test with coverage': {
    args: () => ['--test', '--experimental-test-coverage', join(folder, 'cases.node-test.mjs')],
  },
  'vitest, forks': { args: () => vitestArgs('forks'), files: false },
  'vitest, threads': { args: () => vitestArgs('threads'), files: false },
  'vitest, vmThreads': { args: () => vitestArgs('vmThreads'), files: false },
};

/** Its input stays open, so that it does not end before the program has. */
const repl = `const input = new (require('node:stream').PassThrough)();
  require('node:repl').start({ input, output: process.stderr, useGlobal: true });
  input.write(${JSON.stringify(`.load ${join(out, 'bundle.cjs')}\n`)});`;

function bundled(extension: 'mjs' | 'cjs'): string {
  return readFileSync(join(out, `bundle.${extension}`), 'utf8');
}

/** The cases as TypeScript files, which they are by being JavaScript. */
function writeTypeScript(): void {
  for (const [from, to] of [
    [fixtures, 'fixtures'],
    [folder, 'torture'],
  ] as const) {
    const target = join(out, 'typescript', to);
    mkdirSync(target, { recursive: true });
    for (const name of readdirSync(from, { withFileTypes: true })) {
      const source = join(from, name.name);
      if (name.isDirectory() || !name.name.endsWith('.mjs'))
        cpSync(source, join(target, name.name), { recursive: true });
      else {
        const text = readFileSync(source, 'utf8').replace(/(from '\.{1,2}\/(?!pack)[^']*)\.mjs'/g, "$1.mts'");
        const typed =
          name.name === 'cases.mjs'
            ? text
                .replace(/^/, "import { cases as typed } from '../fixtures/typed.ts';\n")
                .replace('torture };', 'torture, typed };')
            : text;
        writeFileSync(join(target, name.name.replace(/mjs$/, 'mts')), typed);
      }
    }
  }
}

function run(name: string, { args, input, files = true, skip = [], noThreads = false }: Host): Result[] {
  const result = join(out, `${name.replace(/\W+/g, '-')}.json`);
  rmSync(result, { force: true });
  const env = {
    ...process.env,
    NODE_NO_WARNINGS: '1',
    NODE_OPTIONS: '',
    MP_RESULT: result,
    MP_THREAD: new URL('./torture/thread.mjs', import.meta.url).href,
    MP_FILES: files ? 'yes' : 'no',
    MP_SKIP: JSON.stringify(skip),
    MP_THREADS: noThreads ? 'no' : 'yes',
  };
  // A runner inside a runner would take over the outer one's settings.
  for (const key of Object.keys(env))
    if (/^(VITEST|NODE_TEST|NODE_V8_COVERAGE|TEST$|NODE_CHANNEL)/.test(key)) delete (env as NodeJS.ProcessEnv)[key];
  const child = spawnSync(process.execPath, args(), {
    env,
    input: input?.() ?? '',
    encoding: 'utf8',
    timeout: 120_000,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
  });
  try {
    return JSON.parse(readFileSync(result, 'utf8')) as Result[];
  } catch {
    throw new Error(
      `${name} ended with ${child.status ?? child.signal} and no result.\n${child.stderr.slice(-3_000)}\n${child.stdout.slice(-3_000)}`,
    );
  }
}

beforeAll(() => {
  mkdirSync(out, { recursive: true });
  for (const [format, extension] of [
    ['esm', 'mjs'],
    ['cjs', 'cjs'],
  ] as const) {
    const external = ['multiprocess', 'multiprocess/*', 'rxjs', 'acorn'].map((name) => `--external:${name}`);
    const flags = [
      '--bundle',
      ...external,
      '--platform=node',
      `--format=${format}`,
      '--log-level=error',
      '--loader:.json=json',
    ];
    execFileSync(esbuild, [main, ...flags, `--outfile=${join(out, `bundle.${extension}`)}`]);
  }
  writeTypeScript();
});

describe(`On Node ${process.versions.node} every function crosses, to a process and to a thread, from`, () => {
  for (const [name, host] of Object.entries(hosts)) {
    if (host.missing) {
      test.skip(`${name} (${host.missing})`);
      continue;
    }
    if (host.noThreads) test.skip(`${name}, to a thread (${host.noThreads})`);
    test(name, { timeout: 130_000 }, () => {
      const results = run(name, host);
      const failures = results.filter(({ failure }) => failure !== undefined);
      expect(failures.map(({ title, transport, failure }) => `${transport}: ${title}\n${failure}`)).toEqual([]);
      for (const transport of host.noThreads ? ['process'] : ['process', 'thread', 'thread pool'])
        expect(results.filter((each) => each.transport === transport).length).toBeGreaterThanOrEqual(host.cases ?? 110);
    });
  }
});
