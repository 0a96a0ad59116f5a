/**
 * Functions of files of Windows. No Windows is at hand: scripts are compiled here under the names that
 * V8 gives them there, `C:\app\lib.cjs` for CommonJS and `file:///C:/app/lib.mjs` for modules.
 */
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { mapStack } from '../../src/closures/index.js';
import { throughHere } from './support/in-process.js';

/** A function with a capture, of the second line of a file, as V8 has it on Windows. */
function madeIn(
  filename: string,
  source = '(factor) => {\r\n  return (n) => {\r\n    if (n < 0) throw new Error(n);\r\n    return n * factor;\r\n  };\r\n}',
) {
  return (vm.runInThisContext(source, { filename }) as (factor: number) => (n: number) => number)(3);
}
const stackOf = (fn: (n: number) => unknown): string => {
  try {
    fn(-1);
  } catch (error) {
    return (error as Error).stack!;
  }
  throw new Error('It did not throw.');
};

describe.each([
  ['C:\\app\\lib.cjs', 'file:///C:/app/lib.cjs'],
  ['C:\\Program Files (x86)\\lib.cjs', 'file:///C:/Program%20Files%20(x86)/lib.cjs'],
  ['\\\\server\\share\\lib.cjs', 'file://server/share/lib.cjs'],
  ['file:///C:/app/lib.mjs', 'file:///C:/app/lib.mjs'],
])('A function of %s', (filename, url) => {
  it('crosses with its captures, and keeps its file, line and column', async () => {
    const fn = madeIn(filename);
    const rebuilt = await throughHere(fn);
    expect(rebuilt).not.toBe(fn);
    expect(rebuilt(2)).toBe(6);
    const [, line, column] = /:(\d+):(\d+)\)?$/m.exec(stackOf(fn))!;
    expect(stackOf(rebuilt)).toContain(`${url}:${line}:${column}`);
  });
});

it('A function of Windows is placed by the source map of its script', async () => {
  // One line of TypeScript a line of code: VLQ `AAAA` and `AACA` are (source 0, the same or the next line, column 0).
  const map = { version: 3, sources: ['../src/lib.ts'], names: [], mappings: 'AAAA;AACA;AACA;AACA' };
  const comment = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
  const source = `(factor) => (n) => {\r\n  if (n < 0) throw new Error(n);\r\n  return n * factor;\r\n}\r\n${comment}\r\n`;
  const rebuilt = await throughHere(madeIn('C:\\app\\dist\\lib.cjs', source));
  expect(mapStack(stackOf(rebuilt))).toMatch(/\(?file:\/\/\/C:\/app\/src\/lib\.ts:2:1\)?$/m);
});

it('A stack of Windows that nothing is known of stays as it is', () => {
  const stack =
    'Error: no\r\n    at find (C:\\Program Files (x86)\\app\\main.js:1:2)\n    at file:///C:/app/main.mjs:3:4';
  expect(mapStack(stack)).toBe(stack);
});

it('What such a function requires is found from where it is', async () => {
  const source = `(require) => () => require('node:util').format('%d', 1)`;
  const made = vm.runInThisContext(source, { filename: 'C:\\app\\lib.cjs' }) as (require: unknown) => () => string;
  expect((await throughHere(made(createRequire(import.meta.url))))()).toBe('1');
});
