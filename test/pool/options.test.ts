/** Every bad option is refused at once, by a message that names who refuses, what is wrong, and what would be right. */
import { inspect } from 'node:util';
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
    ['retries', -1, /`retries` must be an integer of at least 0 or an object, .*, not -1/],
    ['gracePeriod', -1, /`gracePeriod` must be a number of at least 0/],
    [
      'retries',
      () => 1,
      /`retries` must be an integer of at least 0 or an object, \{ crashes, errors, when, backoff \}/,
    ],
    ['retries', { errors: 1, backoff: 'soon' }, /`retries\.backoff` must be a number of at least 0 or a function/],
    [
      'retries',
      { errors: 1, backoff: Number.POSITIVE_INFINITY },
      /must be a finite number of at least 0 or a function/,
    ],
    ['maxQueue', -1, /`maxQueue`/],
    ['execArgv', ['--no-warnings', 5], /`execArgv` must be an array of strings, and has 5/],
    ['execArgv', [undefined], /`execArgv` must be an array of strings, and has undefined/],
    ['idleTimeout', 'soon', /`idleTimeout` must be a number of at least 0, not "soon"/],
  ];
  for (const [name, value, message] of bad) {
    it(`refuses ${name}: ${inspect(value)}`, () => {
      const make = () => new Pool({ processes: 1, [name]: value } as never);
      expect(make).toThrow(ArgumentError);
      expect(make).toThrow(message);
      expect(make).toThrow(expect.objectContaining({ code: 'MP_INVALID_ARGUMENT' }));
    });
  }

  it('suggests the option that was meant', () => {
    expect(() => new Pool({ proceses: 2 } as never)).toThrow(
      'Pool: misspelled option `proceses`: did you mean `processes`?',
    );
    expect(() => new Pool({ maxtasksperchild: 2 } as never)).toThrow('did you mean `maxTasksPerChild`?');
    expect(() => new Pool({ colour: 2 } as never)).toThrow(/unknown option `colour`; known are `processes`/);
    expect(() => new Pool({ colour: 2 } as never)).toThrow(expect.objectContaining({ code: 'MP_UNKNOWN_OPTION' }));
    expect(() => new Pool(5 as never)).toThrow(/options must be an object, not 5/);
  });

  it('tells an unknown start method from one that is not there', () => {
    expect(() => new Pool({ context: 'clone' as never })).toThrow(
      expect.objectContaining({ code: 'MP_UNKNOWN_START_METHOD' }),
    );
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
    ['priority', Number.NaN, /`priority` must be a number, not NaN/],
    ['priority', Number.POSITIVE_INFINITY, /`priority` must be a finite number, not Infinity/],
    ['timeout', null, /`timeout` must be a number of at least 0, not null/],
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
    expect(() => pool.imap(identity, [1], { windo: 2 } as never)).toThrow(
      'Pool.imap: misspelled option `windo`: did you mean `window`?',
    );
    expect(() => pool.applyAsync(identity, [1], { errorcallback: identity } as never)).toThrow(
      'did you mean `errorCallback`?',
    );
  });

  it('say where an option belongs that is not theirs', async () => {
    await expect(pool.map(identity, [1], { concurrency: 4 } as never)).rejects.toThrow(
      'Pool.map: `concurrency` is an option of the pool, for all of its calls: pass it where that is made.',
    );
    await expect(pool.apply(identity, [1], { maxTasksPerChild: 4 } as never)).rejects.toThrow('an option of the pool');
    await expect(pool.apply(identity, [1], { key: identity } as never)).rejects.toThrow(
      'Pool.apply: `key` is an option of what runs many items: pass it to map(), starmap() or imap().',
    );
    await expect(pool.map(identity, [1], { window: 4 } as never)).rejects.toThrow(
      'Pool.map: `window` is an option of streams: pass it to imap() or imapUnordered().',
    );
    for (const call of ['imap', 'mapAsync', 'starmapAsync', 'applyAsync', 'defer'] as const)
      expect(() => (pool[call] as (...args: unknown[]) => unknown)(identity, [], { concurrency: 4 })).toThrow(
        expect.objectContaining({
          message: expect.stringMatching(/: `concurrency` is an option of the pool/),
          code: 'MP_UNKNOWN_OPTION',
        }),
      );
    expect(() => new Pool({ timeout: 5 } as never)).toThrow(
      'Pool: `timeout` is an option of calls: pass it to apply(), map() or imap().',
    );
  });

  it('refuse bad chunk sizes, windows, error modes and overflow policies', async () => {
    for (const chunkSize of [0, -1, 1.5, 'big', Number.POSITIVE_INFINITY]) {
      await expect(pool.map(identity, [1], { chunkSize } as never)).rejects.toThrow(
        /Pool\.map: `chunkSize` must be an integer of at least 1 or 'auto', not /,
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
    await expect(pool.apply('fn' as never)).rejects.toThrow(
      /^Pool\.apply: expected a function, a task\(\) or the URL of a module/,
    );
    await expect(pool.apply(identity, 5 as never)).rejects.toThrow(
      'Pool.apply: the arguments must be an array, not 5. Write `apply(fn, [a, b])`.',
    );
    // Given one by one, and not the second of them for the options.
    const spread = pool as unknown as Record<'apply' | 'applyAsync' | 'defer', (...words: unknown[]) => unknown>;
    await expect(spread.apply(identity, 1, 2)).rejects.toThrow('Pool.apply: the arguments must be an array, not 1.');
    expect(() => spread.applyAsync(identity, 1, 2)).toThrow('Pool.applyAsync: the arguments must be an array, not 1.');
    expect(() => spread.defer(identity, 1, 2)).toThrow('Pool.defer: the arguments must be an array, not 1.');
    expect(() => pool.imap(identity, 5 as never)).toThrow(/^Pool\.imap: the source is 5/);
  });
});
