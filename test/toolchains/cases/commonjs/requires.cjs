/** What is required in every form: by reference, the worker requires it itself. */
const { createHash } = require('node:crypto');
const path = require('path');
const { addDays, format } = require('date-fns');
const dateFns = require('date-fns');
const graphql = require('graphql');
const lodash = require('lodash');
const chunk = require('lodash/chunk');
const { Event, explain } = require('multiprocess');
const multiprocess = require('multiprocess');
const rxjs = require('rxjs');
const { firstValueFrom, of } = require('rxjs');
const { z } = require('zod');
const data = require('./data.json');
const getters = require('./getters.cjs');
const { check } = require('./harness.cjs');
const helper = require('./helper.cjs');
const { attempt, Gate, isEvent } = require('./helper.cjs');
const math = require('./math.cjs');
const { add, Point, subtract: minus, tableSum } = require('./math.cjs');
const multiply = require('./multiply.cjs');

/** What is large goes along then: it is no module's. */
const bundled = process.env.TOOLCHAIN_BUNDLED === '1';

check('requires: destructured', async (pool, same) => {
  same(await pool.apply((x) => add(x, 1) + minus(x, 1), [5]), 10);
});
check('requires: an exports object', async (pool, same) => {
  same(await pool.apply((x) => math.add(x, math.pi), [5]), 8);
});
check('requires: a module that is a function', async (pool, same) => {
  same(
    [await pool.apply((x) => multiply(x, 3) + multiply.twice(x), [5]), await pool.apply(multiply, [3, 4])],
    [25, 12],
  );
});
check('requires: exports that are getters', async (pool, same) => {
  same(await pool.apply((x) => [getters.add(x, getters.default), new getters.Point(1, 2).norm()], [5]), [8, 3]);
});
check('requires: in a closure', async (pool, same) => {
  same(await pool.apply((x) => require('./multiply.cjs')(x, 2), [5]), 10);
});
check('requires: import() in a closure', async (pool, same) => {
  same(await pool.apply(async (x) => (await import('./multiply.cjs')).default(x, 2), [5]), 10);
});
check('requires: JSON', async (pool, same) => {
  same(await pool.apply(() => data.rows.length), 3);
});
check('requires: built-in modules', async (pool, same) => {
  same(
    await pool.apply((text) => [createHash('sha1').update(text).digest('hex').length, path.basename('/a/b.c')], ['x']),
    [40, 'b.c'],
  );
});
check('requires: a CommonJS package', async (pool, same) => {
  same(await pool.apply((list) => [lodash.chunk(list, 2).length, chunk(list, 1).length], [[1, 2, 3]]), [2, 3]);
});
check('requires: rxjs, destructured', async (pool, same) => {
  same(await pool.apply((x) => firstValueFrom(of(x)), [1]), 1);
});
check('requires: rxjs, the object', async (pool, same) => {
  same(await pool.apply((x) => rxjs.firstValueFrom(rxjs.of(x)), [7]), 7);
});
check('requires: zod', async (pool, same) => {
  same(await pool.apply((value) => z.object({ n: z.number() }).safeParse(value).success, [{ n: 1 }]), true);
});
check('requires: date-fns', async (pool, same) => {
  same(await pool.apply(() => format(addDays(new Date(2020, 0, 1), 1), 'yyyy-MM-dd')), '2020-01-02');
});
check('requires: date-fns, the object', async (pool, same) => {
  same(await pool.apply(() => dateFns.differenceInDays(new Date(2020, 0, 3), new Date(2020, 0, 1))), 2);
  same(bundled || explain(() => dateFns.addDays).size < 10_000, true);
});
check('requires: graphql, the object', async (pool, same) => {
  same(await pool.apply((text) => graphql.print(graphql.parse(text)).includes('field'), ['{ field }']), true);
});
check('requires: a class of a module', async (pool, same) => {
  const point = await pool.apply(
    (given) => new Point(given.norm(), given instanceof Point ? -2 : 0),
    [new Point(3, 4)],
  );
  same([point instanceof Point, point.norm()], [true, 9]);
});
check('requires: an exported function itself', async (pool, same) => {
  same([await pool.apply(add, [1, 2]), await pool.apply(minus, [1, 2])], [3, -1]);
});
check('requires: a large constant goes by reference', async (pool, same) => {
  same(await pool.apply(() => tableSum() + math.table.length), 400_000);
  same(bundled || explain(() => math.table.length).size < 10_000, true);
});
check('requires: a module that requires multiprocess', async (pool, same) => {
  same(await pool.apply(() => [attempt(), helper.attempt()]), [0, 0]);
});
check('requires: it and a class of multiprocess together', async (pool, same) => {
  const event = new Event();
  same(
    await pool.apply(
      (given) => {
        new Gate().open(given);
        return [
          isEvent(given),
          given instanceof Event,
          given instanceof multiprocess.Event,
          helper.makeLock().locked(),
        ];
      },
      [event],
    ),
    [true, true, true, false],
  );
  same(event.isSet(), true);
});
