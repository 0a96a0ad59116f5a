/** Functions as people write them: every function of some large packages is analysed and compiled again. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { describe, expect, test } from 'vitest';
import { analyse } from '../../src/closures/analysis/analysis.js';
import { parseProgram } from '../../src/closures/analysis/syntax.js';
import { walkProgram } from '../../src/closures/analysis/walk.js';
import { factoryOf } from '../../src/closures/receive/compile.js';
import type { FunctionData } from '../../src/closures/wire.js';

const require = createRequire(import.meta.url);

interface FunctionNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly async?: boolean;
  readonly generator?: boolean;
}

/** Functions and classes. */
function functionsIn(tree: unknown): FunctionNode[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const inside = Object.values(tree).flatMap(functionsIn);
  const { type } = tree as { type?: unknown };
  const is = typeof type === 'string' && /^(Function|ArrowFunction|Class)(Declaration|Expression)$/.test(type);
  return is ? [tree as FunctionNode, ...inside] : inside;
}

/** The functions in a file, as `toString` would print them. */
function texts(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  const program = parseProgram(source, false) ?? parseProgram(source, true)!;
  const placed = functionsIn(program);
  const starts = new Set([...walkProgram(program).findings.functions.values()].flat().map(({ start }) => start));
  expect(placed.every(({ start }) => starts.has(start))).toBe(true);
  // A constructor prints as its class.
  const own = placed.filter(
    (node) =>
      !source
        .slice(Math.max(0, node.start - 20), node.start)
        .trimEnd()
        .endsWith('constructor'),
  );
  return own.map((node) => {
    const text = source.slice(node.start, node.end);
    // The node of a method starts at its parameters.
    if (node.type !== 'FunctionExpression' || !text.startsWith('(')) return text;
    return `${node.async ? 'async ' : ''}${node.generator ? '*' : ''}method${text}`;
  });
}

const typescript = createRequire(require.resolve('typescript')).resolve('@typescript/old');
const installed = fileURLToPath(new URL('../../node_modules/', import.meta.url));

/** The largest script in a folder of a package. */
function largest(folder: string): string {
  const files = readdirSync(join(installed, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.[cm]?js$/.test(name),
  );
  const sized = files.map((name) => ({
    file: join(installed, folder, name),
    size: statSync(join(installed, folder, name)).size,
  }));
  return sized.reduce((most, each) => (each.size > most.size ? each : most)).file;
}

/** Every function is taken; of the very largest file an even sample, unless MP_CORPUS=all. */
const SAMPLE = process.env['MP_CORPUS'] === 'all' ? Number.POSITIVE_INFINITY : 3_000;

const FILES: Readonly<Record<string, string>> = {
  typescript,
  'the largest chunk of vite': largest('vite/dist/node'),
  'the largest chunk of vitest': largest('vitest/dist'),
  rolldown: largest('rolldown/dist'),
  undici: largest('undici/lib'),
  yaml: largest('yaml/dist'),
  'fast-check': largest('fast-check/lib'),
  rxjs: join(dirname(require.resolve('rxjs')), '../bundles/rxjs.umd.js'),
  acorn: require.resolve('acorn'),
  msgpackr: require.resolve('msgpackr'),
  vite: fileURLToPath(import.meta.resolve('vite/module-runner')),
};

describe('Every function is analysed and compiles again', () => {
  test.each(Object.entries(FILES))(
    'in %s',
    (_name, file) => {
      const failures: string[] = [];
      const all = texts(file);
      const step = Math.max(1, Math.floor(all.length / SAMPLE));
      for (let index = 0; index < all.length; index += step) {
        const text = all[index]!;
        const analysis = analyse(text);
        if (analysis === null) {
          failures.push(`not read: ${text.slice(0, 80)}`);
          continue;
        }
        const names = [...analysis.free.keys()].filter((free) => free !== 'arguments');
        try {
          if (
            analysis.outerPrivate === null &&
            !analysis.outerSuper &&
            !analysis.outerNewTarget &&
            analysis.importMeta.length === 0
          ) {
            const data = {
              text,
              form: analysis.form,
              strict: false,
              name: 'f',
              url: '',
              line: 0,
              column: 0,
              edits: [],
              args: -1,
            };
            factoryOf(data as unknown as FunctionData, names, []);
          }
        } catch (error) {
          failures.push(`${(error as Error).message}: ${text.slice(0, 80)}`);
        }
      }
      expect(failures).toEqual([]);
      expect(all.length).toBeGreaterThan(20);
    },
    300_000,
  );

  test('free names are those that V8 misses', () => {
    // A function in which every free name is bound to a parameter runs with no access to a global: the names are complete.
    const text =
      '(a, { b = c, ...d } = e) => { for (const f of g) { h: for (;;) break h; } return { i, j: k.l, [m]: n`x`, ...o }; }';
    expect([...analyse(text)!.free.keys()].sort()).toEqual(['c', 'e', 'g', 'i', 'k', 'm', 'n', 'o']);
    expect(() => vm.compileFunction(`return ${text}`)).not.toThrow();
  });
});
