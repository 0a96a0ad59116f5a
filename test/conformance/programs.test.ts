/**
 * The lines of Python's test_multiprocessing_main_handling, and others that are about what a program is and what its
 * children load, each under its name: programs in folders of their own.
 */
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { install, runNode } from '../support/installed-program.js';
import { itNeeds, startable } from '../support/needs.js';

/** Start methods, and what Node is started with for each. */
const METHODS = { spawn: [], forkserver: [], fork: ['--single-threaded', '--v8-pool-size=1'] } as const;
type Method = keyof typeof METHODS;
const methods = startable(...(Object.keys(METHODS) as Method[]));

/** A pool of five over [1, 2, 3], with a function of the program itself. */
const BODY = `
  const square = (x) => x * x;
  async function main() {
    const pool = new (getContext(process.argv.at(-1)).Pool)({ processes: 5 });
    console.log(JSON.stringify(await pool.map(square, [1, 2, 3])));
    pool.close();
    await pool.join();
  }
  main();`;
const ESM = `import { getContext } from 'multiprocess';${BODY}`;
const CJS = `const { getContext } = require('multiprocess');${BODY}`;

describe.each(methods)('CmdLine by %s', (method) => {
  /** What a program prints. `words` name it. */
  const said = async (files: Record<string, string>, ...words: string[]): Promise<string> => {
    const { stdout, stderr, code } = await runNode([...METHODS[method], ...words, method], install(files));
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    return stdout;
  };

  it('test_basic_script: a script', async () => {
    expect(await said({ 'script.mjs': ESM }, 'script.mjs')).toBe('[1,4,9]\n');
    expect(await said({ 'script.cjs': CJS }, 'script.cjs')).toBe('[1,4,9]\n');
  });

  it('test_basic_script_no_suffix: a script without a suffix', async () => {
    expect(await said({ script: CJS }, 'script')).toBe('[1,4,9]\n');
    expect(await said({ script: ESM, 'package.json': '{ "type": "module" }' }, 'script')).toBe('[1,4,9]\n');
  });

  it('test_script_compiled: a compiled script, beside its source', async () => {
    const source = ESM.replace('(x)', '(x: number): number');
    for (const type of ['module', 'commonjs'] as const) {
      const module = type === 'module' ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS;
      const options = { module, target: ts.ScriptTarget.ES2022, inlineSourceMap: true };
      const { outputText: code } = ts.transpileModule(source, { compilerOptions: options });
      const manifest = JSON.stringify({ type });
      expect(await said({ 'script.ts': source, 'script.js': code, 'package.json': manifest }, 'script.js')).toBe(
        '[1,4,9]\n',
      );
    }
  });

  it('test_directory: a directory, whose manifest names its main module', async () => {
    const files = { 'app/package.json': '{ "main": "start.cjs" }', 'app/start.cjs': CJS };
    expect(await said(files, 'app')).toBe('[1,4,9]\n');
  });

  it('test_module_in_package: a module of a package, with relative imports', async () => {
    const files = {
      'app/package.json': '{ "type": "module" }',
      'app/parts/square.js': 'export const square = (x) => x * x;',
      'app/main/script.js': `import { square } from '../parts/square.js';${ESM.replace('const square = (x) => x * x;', '')}`,
    };
    expect(await said(files, 'app/main/script.js')).toBe('[1,4,9]\n');
  });

  it('test_package: a package as the program, which imports itself by its name', async () => {
    const files = {
      'app/package.json':
        '{ "name": "app", "type": "module", "main": "main.js", "exports": { "./square": "./square.js" } }',
      'app/square.js': 'export const square = (x) => x * x;',
      'app/main.js': `import { square } from 'app/square';${ESM.replace('const square = (x) => x * x;', '')}`,
    };
    expect(await said(files, 'app')).toBe('[1,4,9]\n');
  });
});

describe('what children load', () => {
  it.each(startable('spawn', 'forkserver'))(
    'TestFlags._test_flags: a child by %s has the flags of its parent',
    async (method) => {
      const code = `import { Process } from 'multiprocess';
      const show = () => console.log(process.execArgv.join(' '));
      show();
      await (await new Process(show, { context: process.argv[2] }).start()).join();`;
      const flags = ['--stack-size=900', '--no-warnings'];
      const { stdout, stderr } = await runNode([...flags, 'main.mjs', method], install({ 'main.mjs': code }));
      expect({ stdout, stderr }).toEqual({ stdout: `${flags.join(' ')}\n`.repeat(2), stderr: '' });
    },
  );

  itNeeds('forks')(
    'TestStartMethod.test_preload_resources: a preloaded module that makes a lock breaks no child',
    async () => {
      const folder = install({
        'resources.mjs': "import { Lock } from 'multiprocess'; export const lock = new Lock();",
        'main.mjs': `import { getContext } from 'multiprocess';
        import { lock } from './resources.mjs';
        const { Process, setForkserverPreload } = getContext('forkserver');
        setForkserverPreload([import.meta.resolve('./resources.mjs')], { onError: 'fail' });
        const own = async () => {
          const { lock: mine } = await import('./resources.mjs');
          console.log(await mine.runExclusive(() => lock.locked()), await lock.runExclusive(() => lock.locked()));
        };
        for (let i = 0; i < 2; i++) console.log(await (await new Process(own).start()).exited);`,
      });
      const { stdout, stderr, code } = await runNode(['main.mjs'], folder);
      expect({ stdout, stderr, code }).toEqual({ stdout: 'false true\n0\n'.repeat(2), stderr: '', code: 0 });
    },
  );

  itNeeds('forks')(
    '_TestSpawnedSysPath.test_forkserver_preload_imports_sys_path: preloading finds the packages of the program',
    async () => {
      const folder = install({
        'node_modules/found/package.json': '{ "main": "index.cjs" }',
        'node_modules/found/index.cjs': 'globalThis.foundIn = process.pid;',
        'main.mjs': `import { getContext } from 'multiprocess';
        const { Process, setForkserverPreload } = getContext('forkserver');
        setForkserverPreload(['found'], { onError: 'fail' });
        const show = () => console.log(typeof globalThis.foundIn, globalThis.foundIn !== process.pid);
        console.log(await (await new Process(show).start()).exited);`,
      });
      const { stdout, stderr } = await runNode(['main.mjs'], folder);
      expect({ stdout, stderr }).toEqual({ stdout: 'number true\n0\n', stderr: '' });
    },
  );

  it('TestNamedResource.test_global_named_resource_spawn: what a main module makes that is loaded again is no leak', async () => {
    const folder = install({
      'main.mjs': `import { Lock, parentProcess, Process } from 'multiprocess';
        export const lock = new Lock();
        export const work = () => console.log('loaded again', parentProcess() !== null, lock.tryAcquire());
        if (parentProcess() === null) console.log(await (await new Process(work).start()).exited);`,
    });
    const { stdout, stderr, code } = await runNode(['main.mjs'], folder);
    expect({ stdout, stderr, code }).toEqual({ stdout: 'loaded again true true\n0\n', stderr: '', code: 0 });
  });

  it('TestSharedMemoryNames.test_that_shared_memory_name_with_colons_has_no_resource_tracker_errors', async () => {
    const code = `import { SharedMemory } from 'multiprocess';
      for (const name of ['a:b:c', 'a:b\\nc']) {
        const block = SharedMemory.create(8, { name: name + process.pid });
        console.log(SharedMemory.attach(block.name).size >= 8);
        block.close();
        block.unlink();
      }`;
    const { stdout, stderr, code: end } = await runNode(['main.mjs'], install({ 'main.mjs': code }));
    expect({ stdout, stderr, end }).toEqual({ stdout: 'true\ntrue\n', stderr: '', end: 0 });
  });
});
