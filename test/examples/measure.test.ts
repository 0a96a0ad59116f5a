import { describe, expect, it } from 'vitest';
import { measure } from '../../examples/source-census/measure.js';

/** The complexity of the one function around a body. */
function complexity(body: string): number {
  const { mostComplex, functions } = measure(`async function* f(a, b, c) { ${body} }`);
  expect(functions).toBe(1);
  return mostComplex[0]!.complexity;
}

describe('cyclomatic complexity', () => {
  it.each([
    ['if', 'if (a) b(); else c();'],
    ['else if counts as one more if', 'if (a) b();'],
    ['?:', 'return a ? b : c;'],
    ['for', 'for (;;) b();'],
    ['for-in', 'for (const k in a) b(k);'],
    ['for-of', 'for (const k of a) b(k);'],
    ['for-await', 'for await (const k of a) b(k);'],
    ['while', 'while (a) b();'],
    ['do', 'do b(); while (a);'],
    ['catch', 'try { a(); } catch { b(); }'],
    ['&&', 'return a && b;'],
    ['||', 'return a || b;'],
    ['??', 'return a ?? b;'],
    ['&&=', 'a &&= b;'],
    ['||=', 'a ||= b;'],
    ['??=', 'a ??= b;'],
    ['case', 'switch (a) { case 1: b(); }'],
  ])('adds one path for %s', (_, body) => {
    expect(complexity(body)).toBe(2);
  });

  it.each([
    ['nothing', ''],
    ['default', 'switch (a) { default: b(); }'],
    ['finally', 'try { a(); } finally { b(); }'],
    ['?.', 'return a?.b?.(c);'],
    ['a default value', 'const { d = 1 } = a;'],
    ['other operators', 'a += b | c & (a, b);'],
    ['a label', 'x: { break x; }'],
  ])('adds none for %s', (_, body) => {
    expect(complexity(body)).toBe(1);
  });

  it('adds up', () => {
    expect(
      complexity(
        'if (a && b || c) { for (;;) while (a) b(); } else if (c) switch (a) { case 1: case 2: break; default: }',
      ),
    ).toBe(9);
  });

  it('counts a nested function for itself, and code outside functions for none', () => {
    const {
      functions,
      complexity: sum,
      mostComplex,
    } = measure('if (x) y();\nfunction outer() {\n  return () => a && b && c;\n}');
    expect(functions).toBe(2);
    expect(sum).toBe(4);
    expect(mostComplex.map(({ name, line, complexity: each }) => [name, line, each])).toEqual([
      ['(anonymous)', 3, 3],
      ['outer', 2, 1],
    ]);
  });

  it('counts class fields and static blocks for the function around the class', () => {
    const [f] = measure('function f() { class A { x = a || b; static { if (c) d(); } } }').mostComplex;
    expect(f).toMatchObject({ name: 'f', complexity: 3 });
  });

  it('names no more functions than asked for, most complex first', () => {
    const { mostComplex, functions } = measure('let a = () => 1, b = () => x ? 1 : 2, c = () => x && y && z;', 2);
    expect(functions).toBe(3);
    expect(mostComplex.map((each) => each.name)).toEqual(['c', 'b']);
  });
});

describe('functions', () => {
  it.each([
    ['function a() {}', 'a'],
    ['const a = function () {};', 'a'],
    ['const a = function own() {};', 'own'],
    ['const a = async () => {};', 'a'],
    ['exports.a = () => {};', 'exports.a'],
    ['({ a() {} });', 'a'],
    ['({ a: () => {} });', 'a'],
    ['({ get a() { return 1; } });', 'get a'],
    ['({ "a-b": () => {} });', '"a-b"'],
    ['({ [a]: () => {} });', '[a]'],
    ['class A { a() {} }', 'a'],
    ['class A { set a(v) {} }', 'set a'],
    ['class A { static #a() {} }', '#a'],
    ['class A { a = () => {}; }', 'a'],
    ['const { a = () => {} } = {};', 'a'],
    ['export default function () {}', 'default'],
    ['export default () => {};', 'default'],
    ['call(() => {});', '(anonymous)'],
  ])('are found and named in %s', (source, name) => {
    expect(measure(source).mostComplex.map((each) => each.name)).toEqual([name]);
  });

  it('keep their names short and on one line', () => {
    const [f] = measure(`object\n  .${'a'.repeat(80)} = () => {};`).mostComplex;
    expect(f!.name).toMatch(/^object \.a+…$/);
    expect(f!.name).toHaveLength(40);
  });

  it('have lines, and the longest is kept; the first of equals', () => {
    const { longest } = measure('const a = () =>\n  1;\nfunction b() {\n\n}\nfunction c() {\n\n}\n');
    expect(longest).toEqual({ name: 'b', line: 3, lines: 3, complexity: 1 });
  });

  it('may be absent', () => {
    expect(measure('')).toEqual({
      functions: 0,
      complexity: 0,
      longest: null,
      mostComplex: [],
      imports: { static: 0, dynamic: 0, require: 0 },
      comments: { count: 0, lines: 0 },
    });
  });
});

describe('imports', () => {
  it('are static, dynamic, or calls of require', () => {
    const source = `
      import 'a'; import b from 'b'; export * from 'c'; export { d } from 'd'; export { b }; export const e = 1;
      import('f'); const g = () => import('g');
      require('h'); require.resolve('i'); module.require('j'); require();`;
    expect(measure(source).imports).toEqual({ static: 4, dynamic: 2, require: 1 });
  });
});

describe('comments', () => {
  it('count each line they touch once', () => {
    expect(measure('/* a */ x; // b\n/*\n c\n*/ /* d */\ny;\n// e').comments).toEqual({ count: 5, lines: 5 });
  });

  it('do not include a #! line, nor what a failed attempt as a module saw', () => {
    expect(measure('#!/usr/bin/env node\n// a\nwith (b) c;\n// d').comments).toEqual({ count: 2, lines: 2 });
  });
});

describe('a source', () => {
  it('may be an ES module or CommonJS', () => {
    expect(() => measure('import.meta.url; await a;')).not.toThrow();
    expect(() => measure('with (a) b; return 010;')).not.toThrow();
    expect(() => measure('if (a) return; exports.b = new.target;')).not.toThrow();
  });

  it('that is neither fails with the error of the attempt that got further', () => {
    expect(() => measure('import a from "a";\nlet b;\nlet b;')).toThrow(
      "Identifier 'b' has already been declared (3:4)",
    );
    expect(() => measure('with (a) b;\nreturn )')).toThrow('Unexpected token (2:7)');
  });

  it('may nest deep', () => {
    expect(measure(`f${'(() => 1)'.repeat(2_000)}`).functions).toBe(2_000);
  });
});
