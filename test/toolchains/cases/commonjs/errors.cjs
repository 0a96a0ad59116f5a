/** Errors of workers: class, fields, cause, and the line of the source. */
const { SerializationError } = require('multiprocess');
const { Rejected, reject } = require('./failing.cjs');
const { check } = require('./harness.cjs');

const thrownBy = async (call) => {
  try {
    return await call();
  } catch (error) {
    return error;
  }
};
function position(error) {
  const frame = error.stack.split('\n').find((line) => /^\s+at /.test(line));
  return /[^\\/(]+:\d+(?=:\d+\)?$)/.exec(frame)?.[0] ?? `no position in ${frame}`;
}

check('errors: class, fields and cause', async (pool, same) => {
  const error = await thrownBy(() => pool.apply(() => reject('no')));
  same(
    [error instanceof Rejected, error.message, error.details?.retry, error.cause instanceof RangeError],
    [true, 'no', false, true],
  );
});
/** Where an error was thrown there is where it is thrown here, or the line of the source, if compiled code is not mapped here. */
function samePlace(there, here, source) {
  const found = position(there);
  return [position(here), source].includes(found) || `${found}, here ${position(here)}`;
}

check('errors: the line, of a closure', async (pool, same) => {
  const fail = () => {
    throw new Error('here'); // LINE A
  };
  same(samePlace(await thrownBy(() => pool.apply(fail)), await thrownBy(fail), 'errors.cjs:LINE_A'), true);
});
check('errors: the line, of a required function', async (pool, same) => {
  const there = await thrownBy(() => pool.apply(() => reject('no')));
  same(samePlace(there, await thrownBy(() => reject('no')), 'failing.cjs:LINE_B'), true);
});
check('errors: a refusal has a code', async (pool, same) => {
  const pending = new Promise(() => {});
  const error = await thrownBy(() => pool.apply(() => pending));
  same([error instanceof SerializationError, error.code?.startsWith('MP_')], [true, true]);
});
