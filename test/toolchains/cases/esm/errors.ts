/** Errors of workers: class, fields, cause, and the line of the source. */
import { SerializationError } from 'multiprocess';
import { position, Rejected, reject } from './failing.ts';
import { check } from './harness.ts';

const thrownBy = async (call: () => unknown): Promise<unknown> => {
  try {
    return await call();
  } catch (error) {
    return error;
  }
};

check('errors: class, fields and cause', async (pool, same) => {
  const error = (await thrownBy(() => pool.apply(() => reject('no')))) as Rejected & { cause: Error };
  same(
    [
      error instanceof Rejected,
      error.name,
      error.message,
      error.details.retry,
      error.cause instanceof RangeError,
      error.cause.message,
    ],
    [true, 'Rejected', 'no', false, true, 'the cause'],
  );
});
check('errors: of JavaScript and of Node', async (pool, same) => {
  const type = await thrownBy(() => pool.apply(() => (null as unknown as { x: number }).x));
  const node = await thrownBy(() =>
    pool.apply(() => process.getBuiltinModule('node:fs').readFileSync('/nonexistent/file')),
  );
  same([type instanceof TypeError, (node as { code: string }).code], [true, 'ENOENT']);
});
/** Where an error was thrown there is where it is thrown here, or the line of the source, if compiled code is not mapped here. */
function samePlace(there: unknown, here: unknown, source: string): boolean | string {
  const found = position(there);
  return [position(here), source].includes(found) || `${found}, here ${position(here)}`;
}

check('errors: the line, of a closure', async (pool, same) => {
  const text = 'here';
  const fail = () => {
    const padding = 'the next line throws';
    throw new Error(text + padding); // LINE A
  };
  same(samePlace(await thrownBy(() => pool.apply(fail)), await thrownBy(fail), 'errors.ts:LINE_A'), true);
});
check('errors: the line, of an imported function', async (pool, same) => {
  const there = await thrownBy(() => pool.apply(() => reject('no')));
  same(samePlace(there, await thrownBy(() => reject('no')), 'failing.ts:LINE_B'), true);
});
check('errors: the caller', async (pool, same) => {
  const theCaller = () => pool.apply(() => reject('no'));
  same(
    /theCaller|errors\.|cases|main|large|bundle|index/.test(String(((await thrownBy(theCaller)) as Error).stack)),
    true,
  );
});
check('errors: a refusal has a code', async (pool, same) => {
  const pending = new Promise(() => {});
  const error = await thrownBy(() => pool.apply(() => pending));
  same([error instanceof SerializationError, (error as SerializationError).code.startsWith('MP_')], [true, true]);
});
