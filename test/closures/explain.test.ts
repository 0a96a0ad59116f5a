import { EventEmitter } from 'node:events';
import net from 'node:net';
import { basename } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { dumps, type Explanation, explain, loads, task } from '../../src/reduction/index.js';

const factor = 3;
const rows = [1, 2, 3];
let seen = 0;
const helper = (n: number): number => n * factor;
class Point {
  x = 1;
}
class Client extends EventEmitter {
  stream = new net.Socket();
}

function named(explanation: Explanation, name: string) {
  return explanation.captures.find((capture) => capture.name === name);
}

describe('explain shows', () => {
  test('each capture with its path, kind and size, and those of captured functions below them', () => {
    const point = new Point();
    const used = (n: number) => [helper(n), rows.length, point.x, ++seen];
    const explanation = explain(used);
    expect(explanation).toMatchObject({ sendable: true, name: 'used', how: 'value' });
    expect(explanation.place).toMatch(/explain\.test\.ts:\d+:\d+$/);
    expect(explanation.size).toBe(dumps(used).length);
    expect(named(explanation, 'rows')).toMatchObject({ kind: 'array of 3', how: 'value', size: dumps(rows).length });
    expect(named(explanation, 'point')).toMatchObject({ kind: 'Point', how: 'value' });
    expect(named(explanation, 'seen')).toMatchObject({ kind: 'number', size: 1 });
    const below = named(explanation, 'helper')!.captures[0]!;
    expect(below).toMatchObject({ name: 'factor', kind: 'number' });
    expect(below.path).toMatch(/^captured `factor` <- captured `helper` <- function used \(.*explain\.test\.ts:\d+\)$/);
  });

  test('what goes by reference, and to what', () => {
    expect(explain(basename)).toMatchObject({
      sendable: true,
      how: 'reference',
      from: 'node:path (basename)',
      captures: [],
    });
    const own = basename;
    expect(
      named(
        explain(() => own('a/b')),
        'own',
      ),
    ).toMatchObject({ how: 'reference', from: 'node:path (basename)' });
    expect(explain(Math.max)).toMatchObject({ how: 'reference', from: 'Math.max' });
  });

  test('bound functions, tasks and functions with properties by their parts', () => {
    const names = (fn: Function) => explain(fn).captures.map(({ name }) => name);
    expect(names(helper.bind(null, 1))).toEqual(['bound function', 'bound this', 'bound argument 0']);
    expect(names(task({ factor }, (c, n: number) => n * c.factor))).toEqual([
      'captures of task()',
      'function of task()',
    ]);
    expect(names(Object.assign(() => 1, { hits: 2 }))).toEqual(['.hits']);
  });

  test('functions that hold each other once', () => {
    const even = (n: number): boolean => n === 0 || odd(n - 1);
    const odd = (n: number): boolean => n !== 0 && even(n - 1);
    expect(named(explain(even), 'odd')!.captures).toHaveLength(1);
    expect(named(explain(even), 'odd')!.captures[0]!.captures).toEqual([]);
  });

  test('the culprit, without throwing, when a function cannot be sent', () => {
    const db = new Client();
    const ask = () => db.stream;
    const query = () => [ask(), factor];
    const explanation = explain(query);
    expect(explanation).toMatchObject({
      sendable: false,
      size: 0,
      problem: {
        code: 'MP_NATIVE_OBJECT',
        path: expect.stringMatching(/^\.stream <- captured `db` <- captured `ask` <- function query \(/),
        repair: expect.stringMatching(/inside the function/),
        message: expect.stringMatching(
          /^Cannot send function query \(.*: it captures `ask`, which captures `db`, and `db\.stream` is/,
        ),
      },
    });
    expect(named(explanation, 'factor')!.problem).toBeUndefined();
    expect(named(explanation, 'ask')).toMatchObject({
      problem: { code: 'MP_NATIVE_OBJECT' },
      captures: [{ name: 'db', kind: 'Client' }],
    });
  });

  test('a client that is connected, whose socket is neither paused nor shared', async () => {
    const server = net.createServer((socket) => void socket.pipe(socket)).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const db = new Client();
    db.stream.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    await new Promise((connected) => db.stream.once('connect', connected));
    try {
      const { stream } = db;
      expect(explain(() => db)).toMatchObject({ sendable: false, problem: { code: 'MP_NATIVE_OBJECT' } });
      expect(explain(() => stream)).toMatchObject({ sendable: false });
      expect(() => dumps(() => db)).toThrow(
        /captures `db`, and `db\.stream` is an instance of Socket.*inside the function/,
      );
      expect(() => dumps([db])).toThrow(expect.objectContaining({ code: 'MP_NATIVE_OBJECT' }));
      stream.write('still mine');
      expect(String(await new Promise((data) => stream.once('data', data)))).toBe('still mine');
    } finally {
      db.stream.destroy();
      await new Promise((closed) => server.close(closed));
    }
  });

  test('a function that is itself the culprit', () => {
    // biome-ignore lint/security/noGlobalEval: direct eval is what is refused.
    expect(explain(() => eval('1'))).toMatchObject({
      sendable: false,
      problem: { code: 'MP_DIRECT_EVAL' },
      captures: [],
    });
  });

  test('plain data, which JSON carries', () => {
    const explanation = explain((n: number) => helper(n));
    expect(JSON.parse(JSON.stringify(explanation))).toEqual({ ...explanation });
  });

  test('a table when it is printed', () => {
    const db = new Client();
    const good = inspect(explain((n: number) => helper(n) + rows.length));
    expect(good.split('\n')[0]).toMatch(/^an anonymous function \(.*\): by value, [\d.]+ (B|KiB)$/);
    expect(good).toMatch(
      /^ {2}helper {4}function {4}\d+ B\n {4}factor {2}number {6}1 B\n {2}rows {6}array of 3 {2}\d+ B$/m,
    );
    const bad = inspect(explain(() => db));
    expect(bad).toMatch(
      /cannot be sent: MP_NATIVE_OBJECT\n {2}db {2}Client {2}cannot be sent: MP_NATIVE_OBJECT\nCannot send an anonymous function/,
    );
  });

  test('only functions', () =>
    expect(() => explain(5 as never)).toThrow(expect.objectContaining({ code: 'MP_INVALID_ARGUMENT' })));
});

describe('More than 1 MiB of captures', () => {
  const large = 'x'.repeat(1 << 21);

  test('are warned about once, with the largest of them', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    try {
      const take = () => large.length + factor;
      dumps(take);
      dumps(take);
      for (let i = 0; i < 2; i++) dumps(() => large.length);
      dumps(() => factor);
      dumps(large);
      expect(warn).toHaveBeenCalledTimes(2);
      expect(warn.mock.calls[0]).toEqual([
        expect.stringMatching(
          /^function take \(.*explain\.test\.ts:\d+:\d+\) captures 2\.0 MiB, most of it `large` \(2\.0 MiB\)/,
        ),
        { type: 'MultiprocessWarning', code: 'MP_LARGE_CAPTURE' },
      ]);
    } finally {
      warn.mockRestore();
    }
  });

  test('prints as text too, and can itself be sent', () => {
    const shown = explain((n: number) => helper(n));
    expect(`${shown}`).toBe(inspect(shown, { colors: false }));
    expect(`${shown}`).toMatch(/^an anonymous function \(.*\): by value, \d+ B\n {2}helper/);
    expect(Object.prototype.toString.call(shown)).toBe('[object Explanation]');
    expect(`${loads(dumps(shown))}`).toBe(`${shown}`);
  });
});
