/** Imports of every form: by reference, the worker imports them itself. */
import { createHash } from 'node:crypto';
import * as os from 'node:os';
import path from 'node:path';
import { addDays, format } from 'date-fns';
import * as dateFns from 'date-fns';
import { parse, print } from 'graphql';
import lodash from 'lodash';
import { Event, explain } from 'multiprocess';
import { firstValueFrom, map, of, toArray } from 'rxjs';
import * as rxjs from 'rxjs';
import { z } from 'zod';
import { add as addOfBarrel, math, minus, times } from './barrel.ts';
import data from './data.json' with { type: 'json' };
import { check } from './harness.ts';
import { attempt, Gate, isEvent, makeLock } from './helper.ts';
import multiply, { add, Point, add as plus, subtract, table, tableSum } from './math.ts';
import * as namespace from './math.ts';

check('imports: named', async (pool, same) => {
  same(await pool.apply((x: number) => add(x, 1) + subtract(x, 1), [5]), 10);
});
check('imports: default', async (pool, same) => {
  same(await pool.apply((x: number) => multiply(x, 3), [5]), 15);
});
check('imports: namespace', async (pool, same) => {
  same(await pool.apply((x: number) => namespace.add(x, namespace.pi) + namespace.default(2, 2), [5]), 12);
});
check('imports: aliased', async (pool, same) => {
  same(await pool.apply((x: number) => plus(x, 2), [5]), 7);
});
check('imports: re-exported', async (pool, same) => {
  same(
    await pool.apply((x: number) => [addOfBarrel(x, 1), minus(x, 1), times(x, 2), math.add(x, 3)], [5]),
    [6, 4, 10, 8],
  );
});
check('imports: dynamic, in a closure', async (pool, same) => {
  same(
    await pool.apply(
      async (x: number) => {
        const lazy = await import('./lazy.ts');
        return [lazy.half(x), lazy.default];
      },
      [5],
    ),
    [2.5, 'lazy'],
  );
});
check('imports: JSON', async (pool, same) => {
  same(await pool.apply(() => data.rows.length), 3);
});
check('imports: built-in modules', async (pool, same) => {
  same(
    await pool.apply(
      (text: string) => [createHash('sha1').update(text).digest('hex').length, path.basename('/a/b.c'), os.EOL],
      ['x'],
    ),
    [40, 'b.c', '\n'],
  );
});
check('imports: a CommonJS package', async (pool, same) => {
  same(await pool.apply((list: number[]) => lodash.chunk(list, 2).length, [[1, 2, 3]]), 2);
});
check('imports: rxjs', async (pool, same) => {
  same(
    await pool.apply(
      (x: number) =>
        firstValueFrom(
          of(x, x).pipe(
            map((v) => v + 1),
            toArray(),
          ),
        ),
      [1],
    ),
    [2, 2],
  );
});
check('imports: rxjs, namespace', async (pool, same) => {
  same(await pool.apply((x: number) => rxjs.firstValueFrom(rxjs.of(x)), [7]), 7);
});
check('imports: zod', async (pool, same) => {
  same(await pool.apply((value: unknown) => z.object({ n: z.number() }).safeParse(value).success, [{ n: 1 }]), true);
});
check('imports: date-fns', async (pool, same) => {
  same(await pool.apply(() => format(addDays(new Date(2020, 0, 1), 1), 'yyyy-MM-dd')), '2020-01-02');
});
check('imports: date-fns, namespace', async (pool, same) => {
  same(await pool.apply(() => dateFns.differenceInDays(new Date(2020, 0, 3), new Date(2020, 0, 1))), 2);
});
check('imports: graphql', async (pool, same) => {
  same(await pool.apply((text: string) => print(parse(text)).includes('field'), ['{ field }']), true);
});
check('imports: a class of a module', async (pool, same) => {
  const point = await pool.apply((x: number) => new Point(x, -2), [1]);
  same([point instanceof Point, point.norm()], [true, 3]);
});
check('imports: an instance as argument', async (pool, same) => {
  same(await pool.apply((point: Point) => [point instanceof Point, point.norm()], [new Point(3, 4)]), [true, 7]);
});
check('imports: an exported function itself', async (pool, same) => {
  same(
    [await pool.apply(add, [1, 2]), await pool.apply(subtract, [1, 2]), await pool.apply(multiply, [3, 4])],
    [3, -1, 12],
  );
});
check('imports: a large constant goes by reference', async (pool, same) => {
  same(await pool.apply(() => tableSum() + table.length), 400_000);
  const { size } = explain(() => table.length) as unknown as { size: number };
  same(size < 10_000 || process.env['TOOLCHAIN_BUNDLED'] === '1', true); // in a bundle it is no module's
});
check('imports: a module that imports multiprocess', async (pool, same) => {
  same(await pool.apply(() => attempt()), 0);
});
check('imports: it and a class of multiprocess together', async (pool, same) => {
  const event = new Event();
  same(
    await pool.apply(
      (given: Event) => {
        new Gate().open(given);
        return [isEvent(given), given instanceof Event, makeLock().locked()];
      },
      [event],
    ),
    [true, true, false],
  );
  same(event.isSet(), true);
});
