/** Every refusal is provoked, and its repair carried out as the message says it: what then comes back is what was wanted. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const cases = fileURLToPath(new URL('./repairs/cases.mjs', import.meta.url));
const sources = fileURLToPath(new URL('../../src/', import.meta.url));
const out = fileURLToPath(new URL('../../.build/repairs/', import.meta.url));
const major = Number(process.versions.node.split('.')[0]);
const folder = mkdtempSync(join(tmpdir(), 'repairs-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly code: string;
  readonly message: string;
  readonly repair: string;
  readonly result: unknown;
}

function node(args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    env: { ...process.env, NODE_NO_WARNINGS: '1', NODE_OPTIONS: '', ...env },
    encoding: 'utf8',
    timeout: 90_000,
    killSignal: 'SIGKILL',
  });
  if (status !== 0) throw new Error(`The program ended with ${status ?? signal}.\n${stderr.slice(-3_000)}`);
  return stdout;
}

function write(name: string, text: string): string {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, name), text);
  return join(out, name);
}

/** Title of the case: code, what the message advises, what following it gives. */
const expected: Readonly<Record<string, readonly [code: string, repair: string | RegExp, result: unknown]>> = {
  'an outer this of which members are read': ['MP_OUTER_THIS', '`const { factor } = this`', 6],
  'an outer this whose methods are called': ['MP_OUTER_THIS', '`const self = this`', 4],
  'an outer this with #private fields': ['MP_PRIVATE_FIELDS', '`const { factor } = this`', 6],
  'the this of a field': ['MP_OUTER_THIS', '(item) => instance.run(item)', 4],
  'the name of the function expression around': ['MP_ENCLOSING_NAME', 'const outer = function (…)', 'outer'],
  'the new.target of the function around': ['MP_NEW_TARGET', 'in a constant first', 'F'],
  'super in a method': ['MP_SUPER', 'an instance', 'base derived'],
  'super in a method, called by name': ['MP_SUPER', 'Base.prototype.method.call(this)', 'base derived'],
  'a private name in an arrow': ['MP_PRIVATE_NAME', '`const secret = this.#secret`', 8],
  'a private name in a method': ['MP_PRIVATE_NAME', 'send the class and make an instance', 4],
  'a field with a computed name': ['MP_COMPUTED_FIELD', 'set it in the constructor (`this[name] = …`', 7],
  'a direct eval': ['MP_DIRECT_EVAL', '(0, eval)(…)', 2],
  'a variable without a value': ['MP_UNINITIALISED', 'after the line that declares', 7],
  'module of CommonJS': ['MP_COMMONJS_MODULE', '`const value = module.value`', 5],
  'native code without a name': ['MP_NATIVE_FUNCTION', 'call it here with the result', 4],
  'captures of task()': ['MP_TASK_CAPTURES', 'in the captures object', 6],
  'a module with a top-level await': ['MP_ASYNC_MODULE', 'loadsAsync', 'ready'],
  'a schema made here by other code': ['MP_PROMISE', 'create `madeSchema` in a module of its own and import it', true],
  'a part of a schema made here by other code': [
    'MP_PROMISE',
    'create `madeSchema` in a module of its own and import it',
    true,
  ],
  'a logger made here by other code': [
    'MP_NATIVE_FUNCTION',
    'create `madeLogger` in a module of its own and import it',
    'line',
  ],
  'a Promise': ['MP_PROMISE', 'await it', 1],
  'a WeakMap': ['MP_WEAK', 'Map or Set', 1],
  'a WeakSet': ['MP_WEAK', 'Map or Set', true],
  'a symbol': ['MP_SYMBOL', 'Symbol.for("mine")', true],
  'a SharedArrayBuffer': ['MP_SHARED_ARRAY_BUFFER', /SharedArray.*new Uint8Array\(shared\)\.slice\(\)/, [7, 3]],
  'a running generator': ['MP_NATIVE_OBJECT', 'call the generator function on the other side', [1]],
  'an iterator': ['MP_NATIVE_OBJECT', 'as an array', [[1, 2]]],
  'a module namespace': ['MP_NATIVE_OBJECT', 'import or create it on the other side', true],
  'a CryptoKey': ['MP_NATIVE_OBJECT', "await crypto.subtle.exportKey('jwk', key)", 128],
  'a performance mark': ['MP_NATIVE_OBJECT', 'send what its toJSON() gives', 'start'],
  'a Proxy of a Map': ['MP_NATIVE_OBJECT', 'send the object behind it', 2],
  'a Hash': ['MP_NATIVE_OBJECT', 'inside the function', 32],
  'an AbortController': ['MP_NATIVE_OBJECT', '`signal` option', 'AbortError'],
  'a Blob': ['MP_NATIVE_OBJECT', 'blob.arrayBuffer()', 1],
  'a Request': ['MP_NATIVE_OBJECT', 'url, method and headers', 'b'],
  'a Response': ['MP_NATIVE_OBJECT', 'new Uint8Array(await response.arrayBuffer())', [200, true, 3]],
  'a FormData': ['MP_NATIVE_OBJECT', '[...form]', [['a', 'b']]],
  'a stream': ['MP_NATIVE_OBJECT', 'inside the function', 2],
  'a subclass of a platform class': ['MP_NATIVE_OBJECT', 'register(Lines, reduce)', ['a']],
  'a typed array whose prototype has no class': ['MP_PLATFORM_SUBCLASS', '`class Name extends Uint8Array {}`', 2],
  'an ArrayBuffer that was transferred': ['MP_DETACHED', 'send a copy', 8],
  '#private fields, registered': ['MP_PRIVATE_FIELDS', 'register(Money, reduce)', 5],
  '#private fields, with a method': ['MP_PRIVATE_FIELDS', "[Symbol.for('multiprocess.reduce')]()", 6],
  '#private fields, made inside': ['MP_PRIVATE_FIELDS', 'create it inside the function', 7],
  'a value that is rebuilt from itself': ['MP_CYCLE', 'restore it in `rebuild`', true],
  'a reducer that gives something else': ['MP_REDUCER', 'an array of a function and an array', 'Right'],
  'a Pool': ['MP_NATIVE_OBJECT', 'call it outside of the function and pass the results', 42],
  'an AsyncResult': ['MP_NATIVE_OBJECT', 'await it', 2],
  'a stream of results': ['MP_NATIVE_OBJECT', 'await stream.toArray()', 2],
  'a Listener': ['MP_NATIVE_OBJECT', 'send its `address`', ['hello', 'sent']],
  'a Subject with subscribers': ['MP_SUBSCRIBERS', 'use a Topic', 'told'],
  'a socket that is not connected': ['MP_NATIVE_OBJECT', 'wait for its `connect` event', 'from there'],
};

describe('A refusal names a repair, and the repair works', () => {
  let results: Record<string, Result>;
  beforeAll(() => {
    const MP_RESULT = join(folder, 'result.json');
    node([cases], { MP_RESULT });
    results = JSON.parse(readFileSync(MP_RESULT, 'utf8')) as Record<string, Result>;
  }, 100_000);

  test.each(Object.entries(expected))('%s', (title, [code, repair, result]) => {
    expect(results[title]).toMatchObject({ code, result });
    expect(results[title]!.repair).toMatch(repair);
    // On Node 20 a binding in its dead zone reads as undefined.
    if (results[title]!.message !== '') expect(results[title]!.message).toContain(results[title]!.repair);
  });

  test('no case is left out', () => expect(Object.keys(results)).toEqual(Object.keys(expected)));

  test('a library is not advised to be registered, nor a schema to be sent in a Map', () => {
    for (const title of ['a Pool', 'an AsyncResult', 'a stream of results', 'a Listener'])
      expect(results[title]!.message).not.toMatch(/register/);
    expect(results['a schema made here by other code']!.message).not.toMatch(/await it/);
  });

  test('code that does not parse, by the module that exports it', () => {
    write(
      'natives.mjs',
      'export const exported = (value) => (%IsSmi(value) ? 1 : 2);\nconst own = (value) => (%IsSmi(value) ? 1 : 2);\nexport const all = [own];\n',
    );
    const main = write(
      'unread.mjs',
      `import { exported, all } from './natives.mjs';
      import { dumps, loadsAsync } from 'multiprocess/reduction';
      try { dumps(all[0]); } catch (error) { console.log(error.code, error.repair); }
      console.log((await loadsAsync(dumps(exported)))(3), (await loadsAsync(dumps((x) => exported(x))))('x'));`,
    );
    const given = node(['--allow-natives-syntax', main]);
    expect(given).toBe('MP_UNREADABLE_FUNCTION move it into a module and export it from there\n1 2\n');
  });

  test.runIf(major >= 24)('no inspector, with task() and with the flag', () => {
    const main = write(
      'restricted.mjs',
      `import { task } from 'multiprocess';
      import { dumps, loads } from 'multiprocess/reduction';
      const factor = 3;
      try { console.log(loads(dumps((x) => x * factor))(2)); } catch (error) { console.log(error.code, error.repair); }
      console.log(loads(dumps(task({ factor }, ({ factor }, x) => x * factor)))(2));`,
    );
    const flags = ['--permission', '--allow-fs-read=*', '--allow-addons'];
    expect(node([...flags, main])).toMatch(/^MP_INSPECTOR_UNAVAILABLE .*--allow-inspector.*task\(\{ name \}.*\n6\n$/);
    if (process.allowedNodeEnvironmentFlags.has('--allow-inspector'))
      expect(node([...flags, '--allow-inspector', main])).toBe('6\n6\n');
  });

  test('an export that is missing over there, until both sides load the same file', () => {
    const file = (text: string) => write('versions.mjs', text);
    file('export const wanted = (x) => x + 1;\n');
    const bytes = join(folder, 'bytes');
    node([
      write(
        'sends.mjs',
        `import { wanted } from './versions.mjs'; import { dumps } from 'multiprocess/reduction'; import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(bytes)}, dumps(wanted));`,
      ),
    ]);
    const loads = write(
      'loads.mjs',
      `import { loadsAsync } from 'multiprocess/reduction'; import { readFileSync } from 'node:fs';
      try { console.log((await loadsAsync(new Uint8Array(readFileSync(${JSON.stringify(bytes)}))))(1)); } catch (error) { console.log(error.code, error.repair); }`,
    );
    file('export const renamed = 1;\n');
    expect(node([loads])).toBe(
      'MP_MISSING_EXPORT both sides must load the same version of the file, and it must export the name while it loads\n',
    );
    file('export const wanted = (x) => x + 1;\n');
    expect(node([loads])).toBe('2\n');
  });

  test('each code of these messages is among them', () => {
    const codes = (file: string) =>
      [...readFileSync(join(sources, file), 'utf8').matchAll(/'(MP_\w+)'/g)].map(([, code]) => code!);
    const all = new Set(
      [
        'closures/messages.ts',
        'modules/messages.ts',
        'codec/kinds/refused.ts',
        'codec/kinds/reduced.ts',
        'codec/kinds/binary.ts',
      ].flatMap(codes),
    );
    const seen = new Set([
      ...Object.values(expected).map(([code]) => code),
      'MP_UNREADABLE_FUNCTION',
      'MP_INSPECTOR_UNAVAILABLE',
      'MP_MISSING_EXPORT',
    ]);
    // In package-copies.test.ts, closures/lowered.test.ts and closures/bundles.test.ts.
    seen.add('MP_OTHER_COPY').add('MP_BUNDLED_IMPORT').add('MP_TOO_MANY_FUNCTIONS');
    // Damage, a module's own failure, a reducer's own error, and what only a caller of the internals can do.
    for (const code of ['MP_BAD_PAYLOAD', 'MP_MODULE_FAILED', 'MP_REBUILD', 'MP_MODULE_NOT_LOADED']) seen.add(code);
    expect([...all].filter((code) => !seen.has(code))).toEqual([]);
  });
});
