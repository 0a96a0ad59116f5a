/** Every bad option is refused at once, by a message that names who refuses, what is wrong, and what would be right. */
import { ArgumentError, Pool, UnsupportedError } from 'multiprocess';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 1 });
});
afterAll(() => pool.terminate());
const identity = (x: unknown): unknown => x;

describe('new Pool', () => {
  const bad: [string, unknown, RegExp][] = [
    ['processes', 0, /Pool: `processes` must be an integer of at least 1, not 0/],
    ['processes', 1.5, /integer of at least 1, not 1\.5/],
    ['processes', '4', /not "4"/],
    ['processes', Number.NaN, /not NaN/],
    ['processes', Number.POSITIVE_INFINITY, /not Infinity/],
    ['initializer', 5, /`initializer` must be a function or a module URL, not 5/],
    ['initArgs', 'a', /`initArgs` must be an array, not "a"/],
    ['maxTasksPerChild', 0, /`maxTasksPerChild`/],
    ['retries', -1, /`retries` must be an integer of at least 0, not -1/],
    ['gracePeriod', -1, /`gracePeriod` must be a number of at least 0/],
    ['maxQueue', -1, /`maxQueue`/],
    ['idleTimeout', 'soon', /`idleTimeout` must be a number of at least 0, not "soon"/],
  ];
  for (const [name, value, message] of bad) {
    it(`refuses ${name}: ${String(value)}`, () => {
      const make = () => new Pool({ processes: 1, [name]: value } as never);
      expect(make).toThrow(ArgumentError);
      expect(make).toThrow(message);
      expect(make).toThrow(expect.objectContaining({ code: 'MP_INVALID_ARGUMENT' }));
    });
  }

  it('suggests the option that was meant', () => {
    expect(() => new Pool({ proceses: 2 } as never)).toThrow('Pool: misspelled option `proceses`: did you mean `processes`?');
    expect(() => new Pool({ maxtasksperchild: 2 } as never)).toThrow('did you mean `maxTasksPerChild`?');
    expect(() => new Pool({ colour: 2 } as never)).toThrow(/unknown option `colour`; known are `processes`/);
    expect(() => new Pool({ colour: 2 } as never)).toThrow(expect.objectContaining({ code: 'MP_UNKNOWN_OPTION' }));
    expect(() => new Pool(5 as never)).toThrow(/options must be an object, not 5/);
  });

  it('tells an unknown start method from one that is not there', () => {
    expect(() => new Pool({ context: 'clone' as never })).toThrow(expect.objectContaining({ code: 'MP_UNKNOWN_START_METHOD' }));
    expect(() => new Pool({ context: 'clone' as never })).toThrow(/unknown start method "clone"/);
    const other = () => new Pool({ processes: 1, context: 'never' as never });
    expect(other).toThrow(ArgumentError);
    expect(UnsupportedError).toBeTypeOf('function');
  });
});

describe('calls', () => {
  const bad: [string, unknown, RegExp][] = [
    ['timeout', -1, /: `timeout` must be a number of at least 0, not -1/],
    ['timeout', 'a', /not "a"/],
    ['queueTimeout', Number.NaN, /`queueTimeout`/],
    ['priority', 'high', /`priority` must be a number/],
    ['priority', Number.NaN, /`priority`/],
    ['retries', 0.5, /`retries` must be an integer/],
    ['signal', {}, /`signal` must be an AbortSignal, not an instance of Object/],
  ];
  for (const [name, value, message] of bad) {
    it(`refuse ${name}: ${String(value)}`, async () => {
      const options = { [name]: value } as never;
      await expect(pool.apply(identity, [1], options)).rejects.toThrow(message);
      await expect(pool.apply(identity, [1], options)).rejects.toThrow(/^Pool\.apply: /);
      expect(() => pool.applyAsync(identity, [1], options)).toThrow(/^Pool\.applyAsync: /);
      await expect(pool.map(identity, [1], options)).rejects.toThrow(/^Pool\.map: /);
      await expect(pool.starmap(identity, [[1]], options)).rejects.toThrow(/^Pool\.starmap: /);
      expect(() => pool.mapAsync(identity, [1], options)).toThrow(/^Pool\.mapAsync: /);
      expect(() => pool.starmapAsync(identity, [[1]], options)).toThrow(/^Pool\.starmapAsync: /);
      expect(() => pool.imap(identity, [1], options)).toThrow(/^Pool\.imap: /);
      expect(() => pool.imapUnordered(identity, [1], options)).toThrow(/^Pool\.imapUnordered: /);
    });
  }

  it('suggest the option that was meant', async () => {
    await expect(pool.map(identity, [1], { chunksize: 2 } as never)).rejects.toThrow(
      'Pool.map: misspelled option `chunksize`: did you mean `chunkSize`?',
    );
    await expect(pool.apply(identity, [1], { timout: 2 } as never)).rejects.toThrow(
      'Pool.apply: misspelled option `timout`: did you mean `timeout`?',
    );
    expect(() => pool.imap(identity, [1], { windo: 2 } as never)).toThrow('Pool.imap: misspelled option `windo`: did you mean `window`?');
    expect(() => pool.applyAsync(identity, [1], { errorcallback: identity } as never)).toThrow('did you mean `errorCallback`?');
  });

  it('refuse bad chunk sizes, windows, error modes and overflow policies', async () => {
    for (const chunkSize of [0, -1, 1.5, 'big', Number.POSITIVE_INFINITY]) {
      await expect(pool.map(identity, [1], { chunkSize } as never)).rejects.toThrow(
        /Pool\.map: `chunkSize` must be an integer of at least 1/,
      );
    }
    for (const window of [0, -1, 1.5, '8'])
      expect(() => pool.imap(identity, [1], { window } as never)).toThrow(/`window` must be an integer of at least 1/);
    expect(() => pool.imap(identity, [1], { errors: 'ignore' } as never)).toThrow(
      /`errors` must be 'fail', 'skip' or 'settle', not "ignore"/,
    );
    expect(() => pool.imap(identity, [1], { overflow: { policy: 'lose' } } as never)).toThrow(ArgumentError);
  });

  it('refuse what is no function, no argument list, no source', async () => {
    await expect(pool.apply('fn' as never)).rejects.toThrow(/^Pool\.apply: expected a function, a task\(\) or the URL of a module/);
    await expect(pool.apply(identity, 5 as never)).rejects.toThrow('Pool.apply: the arguments must be an array, not 5.');
    expect(() => pool.imap(identity, 5 as never)).toThrow(/^Pool\.imap: the source is 5/);
  });
});
