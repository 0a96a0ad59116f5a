/** Functions of the test file itself: compiled and wrapped by the test runner. */
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Pool } from 'multiprocess';
import { of, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { reduceFunction, task } from '../../src/closures/index.js';
import type { Reduction } from '../../src/codec/node.js';
import { SerializationError } from '../../src/errors/index.js';
import * as namespaces from './fixtures/node_modules/namespaces/index.mjs';
import { inner } from './fixtures/node_modules/namespaces/index.mjs';
import { inner as proxied } from './fixtures/node_modules/namespaces/interop.js';
import { throughChild, throughHere } from './support/in-process.js';

const factor = 3;
let total = 0;
const triple = (n: number): number => n * factor;
class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
  norm(): number {
    return Math.hypot(this.x, this.y);
  }
}
class Point3 extends Point {
  readonly z = factor;
}

describe('Under the test runner', () => {
  test('a closure with helpers crosses, and the process that rebuilds it loads no parser', () => {
    const { result, loadedParser } = throughChild(
      (n: number) => triple(n) + factor,
      (f) => f(2),
    );
    expect(result).toBe(9);
    expect(loadedParser).toBe(false);
  });

  test('imports that the runner has rewritten cross', () => {
    const { result } = throughChild(
      () => {
        const seen: number[][] = [];
        of(1, 2)
          .pipe(toArray())
          .subscribe((list) => seen.push(list));
        return [path.join('a', 'b'), readFileSync('/dev/null', 'utf8'), seen];
      },
      (f) => f(),
    );
    expect(result).toEqual(['a/b', '', [[1, 2]]]);
  });

  test('an export of a package that is a namespace goes by reference', async () => {
    const pool = new Pool({ processes: 1 });
    try {
      expect(await pool.apply(() => [proxied.twice(2), proxied.deepest.thrice(2)])).toEqual([4, 6]);
      expect(await pool.apply(() => [inner.twice(2), inner.deepest.thrice(2)])).toEqual([4, 6]);
      expect(await pool.apply(() => [Object.keys(namespaces), Object.keys(inner)])).toEqual([
        ['inner'],
        ['deepest', 'twice'],
      ]);
    } finally {
      await pool.terminate();
    }
  });

  test('import.meta and import() mean the original file', async () => {
    const { result } = throughChild(
      async () => [import.meta.url, ((await import('./fixtures/value.mjs' as string)) as { value: string }).value],
      (f) => f(),
    );
    expect(await result).toEqual([import.meta.url, 'value']);
  });

  test('instances of classes cross with their class', () => {
    const { result } = throughChild(new Point3(3, 4), (p) => [p.norm(), p.z, p.constructor.name]);
    expect(result).toEqual([5, 3, 'Point3']);
  });

  test('a class that comes home is itself', async () => {
    expect(await throughHere(Point3)).toBe(Point3);
  });

  test('an arrow that a method sends takes its `this` along', () => {
    class Scaler {
      readonly by = 5;
      reduce(): Reduction {
        return reduceFunction((x: number) => x * this.by);
      }
    }
    const scaler = new Scaler();
    const { data, children } = scaler.reduce();
    expect(children[(data as { receiver: number }).receiver]).toBe(scaler);
  });
});

describe('Reduction flags', () => {
  test('a function without captures is constant and stateless, and reduced once', () => {
    const plain = (n: number) => n + 1;
    const reduction = reduceFunction(plain);
    expect(reduction).toMatchObject({ stateless: true, constant: true });
    expect(reduceFunction(plain)).toBe(reduction);
  });

  test('a function that captures constants is constant', () => {
    expect(reduceFunction(() => triple(factor))).toMatchObject({ stateless: true, constant: true });
  });

  test('a function that captures a variable someone assigns is not constant, and shows the value of the moment', () => {
    let moving = 1;
    const read = () => moving;
    const first = reduceFunction(read);
    moving = 2;
    const second = reduceFunction(read);
    expect(first).toMatchObject({ stateless: true, constant: false });
    expect([first.children[0], second.children[0]]).toEqual([1, 2]);
  });

  test('a function that assigns a captured variable is neither', () => {
    expect(reduceFunction(() => ++total)).toMatchObject({ stateless: false, constant: false });
  });

  test('a constant function that gains a property is reduced again', () => {
    const grown = () => 1;
    expect(reduceFunction(grown).constant).toBe(true);
    Object.assign(grown, { hits: 3 });
    expect(reduceFunction(grown).children).toEqual([3]);
  });

  test('a function with properties of its own is neither', () => {
    expect(reduceFunction(Object.assign(() => 1, { hits: 0 }))).toMatchObject({ stateless: false, constant: false });
  });
});

describe('task()', () => {
  test('carries its captures to the other side', () => {
    const { result } = throughChild(
      task({ by: 4 }, ({ by }, n: number) => Math.max(n * by, 0)),
      (f) => f(5),
    );
    expect(result).toBe(20);
  });

  test('runs as any other function here', () => {
    expect(task({ by: 4 }, ({ by }, n: number) => n * by)(2)).toBe(8);
  });

  test('refuses a function that captures something else', () => {
    const sneaky = task({ by: 4 }, ({ by }, n: number) => n * by * triple(1));
    expect(() => reduceFunction(sneaky)).toThrow(expect.objectContaining({ code: 'MP_TASK_CAPTURES' }));
    expect(() => reduceFunction(sneaky)).toThrow(/`triple`/);
  });

  test('refuses captures that are no object', () => {
    expect(() => task(4 as unknown as object, () => 1)).toThrow(/captures must be an object/);
  });
});

test('The stack of an error of a worker has the lines of the source', async () => {
  const lineOf = (error: unknown): string | undefined =>
    /runner\.test\.ts:(\d+)/.exec(String((error as Error).stack))?.[1];
  const fail = (): never => {
    throw new Error('here');
  };
  const here = await Promise.resolve().then(fail).catch(lineOf);
  const pool = new Pool({ processes: 1 });
  try {
    expect(await pool.apply(fail).catch(lineOf)).toBe(here);
  } finally {
    await pool.terminate();
  }
});

test('Refusals are serialization errors that name file and line', () => {
  // biome-ignore lint/security/noGlobalEval: direct eval is what is refused.
  const bad = () => eval('1');
  expect(() => reduceFunction(bad)).toThrow(SerializationError);
  expect(() => reduceFunction(bad)).toThrow(/Function bad \(.*runner\.test\.ts:\d+\)/);
});
