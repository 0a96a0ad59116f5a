/** Syntax that compilers lower or rename. */
import { check } from './harness.ts';

const tag = (strings: TemplateStringsArray, ...values: unknown[]) => strings.raw.join('|') + values.join(',');
const settings: { a?: { b?: () => number }; list: number[] } = { a: { b: () => 1 }, list: [1, 2, 3] };

check('syntax: optional chaining and defaults', async (pool, same) => {
  const none = null as { deep: { x: number } } | null;
  same(await pool.apply(() => [settings.a?.b?.(), none?.deep.x ?? 'none', settings.list?.[1]]), [1, 'none', 2]);
});
check('syntax: logical assignment', async (pool, same) => {
  same(
    await pool.apply(
      (given: { a: number | null; b: number; c: number }) => {
        given.a ??= 5;
        given.b ||= 6;
        given.c &&= 7;
        return given;
      },
      [{ a: null, b: 0, c: 1 }],
    ),
    { a: 5, b: 6, c: 7 },
  );
});
check('syntax: spread and rest', async (pool, same) => {
  const base = { a: 1, b: 2 };
  same(
    await pool.apply(
      (first: number, ...others: number[]) => {
        const { a, ...rest } = { ...base, c: 3 };
        return [first, Math.max(...others, ...settings.list), a, rest];
      },
      [1, 9, 4],
    ),
    [1, 9, 1, { b: 2, c: 3 }],
  );
});
check('syntax: template literals', async (pool, same) => {
  const name = 'x';
  same(await pool.apply(() => [`${name}: ${1 + 1}`, tag`a${1}b\n${name}c`]), ['x: 2', 'a|b\\n|c1,x']);
});
check('syntax: labelled loops', async (pool, same) => {
  same(
    await pool.apply(() => {
      let found = 0;
      outer: for (const i of [1, 2, 3]) {
        for (let j = 0; ; j++) {
          if (j > i) continue outer;
          if (i === 3) break outer;
          found += j;
        }
      }
      return found;
    }),
    4,
  );
});
check('syntax: destructuring with defaults', async (pool, same) => {
  same(
    await pool.apply(
      ({ x = 1, y: [first = 7, second = first + 1] = [], ...rest }: { x?: number; y?: number[]; z?: number } = {}) => [
        x,
        first,
        second,
        rest,
      ],
      [{ y: [5], z: 3 }],
    ),
    [1, 5, 6, { z: 3 }],
  );
});
check('syntax: getters, setters and computed names', async (pool, same) => {
  const key = 'computed';
  const captured = {
    get value() {
      return 7;
    },
  };
  same(
    await pool.apply(() => {
      const object = {
        stored: 1,
        get value() {
          return this.stored * 10;
        },
        set value(v: number) {
          this.stored = v;
        },
        [`${key}-name`]: 'c',
        [Symbol.iterator]: function* () {
          yield 1;
          yield 2;
        },
      };
      object.value = 4;
      return [object.value, object['computed-name'], [...object], captured.value];
    }),
    [40, 'c', [1, 2], 7],
  );
});
check('syntax: functions of every form', async (pool, same) => {
  const named = function self(n: number): number {
    return n === 0 ? 0 : 1 + self(n - 1);
  };
  function defaults(a: number, b = a * 2, c = () => a + b) {
    return c();
  }
  function count() {
    // biome-ignore lint/complexity/noArguments: what is tested
    return arguments.length;
  }
  const { method } = {
    method(x: number) {
      return x + 0.5;
    },
  };
  same(
    await pool.apply(() => [named(3), defaults(1), (count as (...a: number[]) => number)(1, 2), method(1)]),
    [3, 3, 2, 1.5],
  );
});
check('syntax: a function declared below its use', async (pool, same) => {
  same(await pool.apply(() => below(1)), 'below 1');
  function below(x: number) {
    return `below ${x}`;
  }
});
check('syntax: switch, do and sequence', async (pool, same) => {
  same(
    await pool.apply(
      (n: number) => {
        const out: string[] = [];
        do {
          switch (n % 3) {
            case 0: {
              const zero = 'zero';
              out.push(zero);
              break;
            }
            case 1:
              out.push('one');
            default:
              out.push('other');
          }
        } while (n-- > 0);
        return out.join();
      },
      [2],
    ),
    'other,one,other,zero',
  );
});
