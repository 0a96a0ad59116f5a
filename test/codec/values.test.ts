import { EventEmitter } from 'node:events';
import vm from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { ClosedError, MultiprocessError, SerializationError, WorkerCrashError } from '../../src/errors/index.js';
import { dumps, loads, register } from '../../src/reduction/index.js';
import { installFunctionFixture, sameClass } from './function-fixture.js';
import { difference, holey } from './same-graph.js';

beforeAll(installFunctionFixture);

const copy = <T>(value: T): T => loads<T>(dumps(value));
const expectSame = (value: unknown): void => expect(difference(value, copy(value))).toBeUndefined();

describe('objects', () => {
  it('keep a __proto__ key as an own property and set no prototype', () => {
    for (const value of [
      JSON.parse('{"__proto__": {"polluted": 1}}'),
      JSON.parse('[{"a": {"__proto__": 5}}]'),
      Object.fromEntries([['__proto__', []]]),
    ]) {
      expectSame(value);
    }
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('keep null prototypes, symbol keys, and being frozen, sealed or closed', () => {
    const bare = Object.assign(Object.create(null), { a: 1, [Symbol.iterator]: 2 });
    expectSame([
      bare,
      { [Symbol.for('k')]: { deep: 1 } },
      Object.freeze({ a: [1] }),
      Object.seal([1]),
      Object.preventExtensions({ b: 1 }),
    ]);
    expectSame(Object.freeze(Object.assign([1], { extra: Object.freeze(new Map([[1, 2]])) })));
  });

  it('travel with their getters read when they are plain', () => {
    expect(
      copy({
        get now() {
          return 5;
        },
      }),
    ).toEqual({ now: 5 });
  });

  it('that are intrinsic arrive as the same object', () => {
    for (const value of [globalThis, Math, JSON, Reflect, Array.prototype, Object.prototype, Error.prototype])
      expect(copy({ value }).value).toBe(value);
  });

  it('of another realm arrive as ours', () => {
    const foreign = vm.runInNewContext('({ a: [1, new Map([[1, new Date(5)]]), /x/g], e: new RangeError("far") })');
    const { a, e } = copy(foreign) as { a: [number, Map<number, Date>, RegExp]; e: Error };
    expect(difference(a, [1, new Map([[1, new Date(5)]]), /x/g])).toBeUndefined();
    expect(e.message).toBe('far');
    expect(e).toBeInstanceOf(Error);
  });

  it('nest 200,000 deep and chain through Maps without touching the call stack', () => {
    let value: unknown = 'bottom';
    for (let i = 0; i < 200_000; i++) value = i % 3 === 0 ? [value] : i % 3 === 1 ? { value } : new Map([[1, value]]);
    let at = copy(value);
    let depth = 0;
    for (; at !== 'bottom'; depth++)
      at = Array.isArray(at) ? at[0] : at instanceof Map ? at.get(1) : (at as { value: unknown }).value;
    expect(depth).toBe(200_000);
  });

  it('that are `arguments` arrive as arguments', () => {
    const args = (function (..._: unknown[]) {
      // biome-ignore lint/complexity/noArguments: the object under test
      return arguments;
    })(1, { a: 2 });
    expect(Object.prototype.toString.call(copy(args))).toBe('[object Arguments]');
    expect([...copy(args)]).toEqual([1, { a: 2 }]);
  });
});

describe('arrays', () => {
  it('keep holes, extra properties and a huge length without a huge message', () => {
    const match = 'xay'.match(/a/)!;
    const sparse: unknown[] = new Array(3e9);
    sparse[2e9] = 'far';
    for (const value of [holey([undefined, 1], 4), [...Array(3)], match, sparse, new Array(50_000_000)]) {
      expectSame(value);
      expect(dumps(value).length).toBeLessThan(200);
    }
  });
});

describe('binary data', () => {
  it('keeps two views on one ArrayBuffer on one ArrayBuffer, whichever comes first', () => {
    const buffer = new ArrayBuffer(32);
    const whole = new Uint8Array(buffer);
    const part = new Uint16Array(buffer, 4, 6);
    const view = new DataView(buffer, 8);
    for (const value of [
      [whole, part, view],
      [part, whole],
      [buffer, whole],
      [whole, buffer, Buffer.from(buffer)],
      { view, buffer },
    ]) {
      expectSame(value);
    }
    const [a, b] = copy([whole, part]) as [Uint8Array, Uint16Array];
    a[4] = 7;
    expect(b[0]).toBe(7);
  });

  it('keeps the sharing of large data, also when the receiver owns the bytes', async () => {
    const { Decoder } = await import('../../src/reduction/index.js');
    const buffer = new ArrayBuffer(200_000);
    new Uint8Array(buffer).fill(3);
    const bytes = dumps([new Float64Array(buffer), buffer, new Uint8Array(buffer, 5, 100)]);
    const aligned = new Uint8Array(bytes.length);
    aligned.set(bytes);
    const [a, b, c] = new Decoder().decode(aligned, 0, aligned.length, true) as [Float64Array, ArrayBuffer, Uint8Array];
    expect(a.buffer).toBe(b);
    expect(c.buffer).toBe(b);
    expect(b.byteLength).toBe(200_000);
  });

  it('is viewed in place when the receiver owns the bytes, and copied when it does not', async () => {
    const { Decoder } = await import('../../src/reduction/index.js');
    const big = Float64Array.from({ length: 20_000 }, (_, i) => i / 3);
    const bytes = Uint8Array.from(dumps({ big }));
    const owned = new Decoder().decode(bytes, 0, bytes.length, true) as { big: Float64Array };
    expect(owned.big.buffer).toBe(bytes.buffer);
    expect(owned.big).toEqual(big);
    const copied = new Decoder().decode(bytes, 0, bytes.length) as { big: Float64Array };
    expect(copied.big.buffer.byteLength).toBe(big.byteLength);
    bytes.fill(0);
    expect(copied.big).toEqual(big);
  });

  it('sends of a pooled Buffer only its own slice', () => {
    const pooled = Buffer.from('small');
    expect(pooled.buffer.byteLength).toBeGreaterThan(1000);
    expect(dumps([pooled, Symbol.for('not plain')]).length).toBeLessThan(60);
    const [arrived] = copy([pooled, Symbol.for('not plain')]) as [Buffer, symbol];
    expect(Buffer.isBuffer(arrived)).toBe(true);
    expect(arrived.toString()).toBe('small');
  });

  it('of 64 KiB and more is not copied into the body', async () => {
    const { Encoder } = await import('../../src/reduction/index.js');
    const data = new Uint8Array(64 * 1024).fill(9);
    const message = new Encoder().encode({ data });
    expect(message.buffers).toHaveLength(1);
    expect(message.buffers[0]!.buffer).toBe(data.buffer);
    expect(message.length).toBeLessThan(100);
    expect(message.total).toBeGreaterThanOrEqual(data.length + message.length);
    expectSame({ data });
    expectSame([new BigInt64Array(9000), data, new Uint8Array(70_001), data]);
  });

  it('keeps a resizable ArrayBuffer resizable, and views that follow it', () => {
    const buffer = new (ArrayBuffer as any)(16, { maxByteLength: 64 });
    const [arrived, tail] = copy([buffer, new Uint8Array(buffer, 8)]) as [any, Uint8Array];
    expect(arrived.maxByteLength).toBe(64);
    arrived.resize(32);
    expect(tail.length).toBe(24);
  });
});

describe('errors', () => {
  it('of every builtin class arrive with message, stack, own fields and cause', () => {
    for (const type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
      const error = Object.assign(new type('broken', { cause: { by: [1] } }), { code: 'E1', extra: { n: -0 } });
      const arrived = copy(error);
      expectSame(error);
      expect(arrived).toBeInstanceOf(type);
      expect(Object.prototype.toString.call(arrived)).toBe('[object Error]');
      expect(arrived.stack).toBe(error.stack);
    }
  });

  it('keep AggregateError.errors and a cause that leads back to them', () => {
    const inner = new TypeError('inner');
    const error = new AggregateError([inner, 'text'], 'all failed');
    (inner as Error).cause = error;
    expectSame(error);
    expect((copy(error).errors[0] as Error).cause).toBeInstanceOf(AggregateError);
  });

  it('keep a DOMException', () => {
    const error = new DOMException('stop', 'AbortError');
    const arrived = copy(error);
    expect(arrived).toBeInstanceOf(DOMException);
    expect([arrived.name, arrived.message, arrived.code, arrived.stack]).toEqual([
      'AbortError',
      'stop',
      error.code,
      error.stack,
    ]);
  });

  it('of this library arrive as the same class with code and fields, without sending the class', () => {
    const crash = new WorkerCrashError('died', {
      pid: 5,
      exitCode: null,
      signal: 'SIGKILL',
      cause: new ClosedError('gone'),
    });
    const arrived = copy(crash);
    expectSame(crash);
    expect(arrived).toBeInstanceOf(WorkerCrashError);
    expect(arrived).toBeInstanceOf(MultiprocessError);
    expect([arrived.code, arrived.signal, arrived.name]).toEqual(['MP_WORKER_CRASH', 'SIGKILL', 'WorkerCrashError']);
    expect(arrived.cause).toBeInstanceOf(ClosedError);
  });

  it('of a user class arrive as that class, and as the builtin base when the class cannot be sent', () => {
    const Failure = sameClass(
      class Failure extends RangeError {
        hint = 'try again';
      },
    );
    expectSame(new Failure('no'));
    class Unsendable extends TypeError {}
    const hidden = new Unsendable('native class');
    expect(copy(hidden)).toBeInstanceOf(TypeError);
    expect(copy(hidden).message).toBe('native class');
  });
});

describe('instances', () => {
  it('arrive with their class, descriptors and private-free state, without a constructor call', () => {
    let made = 0;
    class Point {
      x = 1;
      constructor() {
        made++;
        Object.defineProperty(this, 'hidden', { value: [1], enumerable: false });
      }
    }
    sameClass(Point);
    const a = new Point();
    expectSame([a, { again: a }, Object.freeze(new Point())]);
    expect(made).toBe(2);
  });

  it('arrive with accessors of their own', () => {
    class Box {
      constructor() {
        Object.defineProperty(this, 'twice', {
          get: new Function('return 42') as () => number,
          enumerable: true,
          configurable: true,
        });
      }
    }
    sameClass(Box);
    expect((copy(new Box()) as { twice?: number }).twice).toBe(42);
  });

  it('keep what they inherit from Array, Map, Set, Date and EventEmitter', () => {
    const List = sameClass(
      class List extends Array<unknown> {
        override [Symbol.iterator](): ArrayIterator<unknown> {
          throw new Error('not for the codec');
        }

        note = 'n';
      },
    );
    const Table = sameClass(
      class Table extends Map<unknown, unknown> {
        note = [this];
      },
    );
    const Bag = sameClass(class Bag extends Set<unknown> {});
    const Day = sameClass(
      class Day extends Date {
        zone = 'UTC';
      },
    );
    const Hub = sameClass(
      class Hub extends EventEmitter {
        count = 3;
      },
    );
    expectSame([List.from([1, { a: 1 }]), new Table([[{}, 1]]), new Bag([[1]]), new Day(77)]);
    expect(copy(new Hub())).toBeInstanceOf(Hub);
    expect(copy(new Hub()).emit('x')).toBe(false);
  });

  it('arrive when their class comes with them, however they refer to each other', () => {
    const arrived = copy({
      a: new (class Lonely {
        v = 1;
        double() {
          return this.v * 2;
        }
      })(),
    });
    expect(arrived.a.double()).toBe(2);
  });

  it('made by Object.create keep their prototype object', () => {
    const base = { greet: 'hi' };
    const [a, b, proto] = copy([
      Object.create(base, { own: { value: 1, enumerable: true } }),
      Object.create(base),
      base,
    ]) as any[];
    expect(Object.getPrototypeOf(a)).toBe(proto);
    expect(Object.getPrototypeOf(b)).toBe(proto);
    expect([a.greet, a.own]).toEqual(['hi', 1]);
  });

  it('are rebuilt by their registered reducer, subclasses included', () => {
    class Money {
      #cents: number;
      constructor(cents: number) {
        this.#cents = cents;
      }
      get cents() {
        return this.#cents;
      }
    }
    sameClass(Money);
    const rebuild = sameClass((cents: number) => new Money(cents));
    register(Money, (money) => [rebuild, [money.cents]]);
    const one = new Money(5);
    const [a, b] = copy([one, one]) as [Money, Money];
    expect(a).toBe(b);
    expect(a.cents).toBe(5);
  });

  it('are rebuilt by a class, which is constructed, as in Python', () => {
    class Point {
      #at: readonly number[];
      constructor(...at: number[]) {
        this.#at = at;
      }
      get at() {
        return this.#at;
      }
    }
    sameClass(Point);
    register(Point, (point) => [Point, point.at]);
    const arrived = copy(new Point(1, 2)) as Point;
    expect(arrived).toBeInstanceOf(Point);
    expect(arrived.at).toEqual([1, 2]);
  });

  it('are rebuilt by their own reduce method', () => {
    const make = sameClass((items: unknown[]) => ({ items, made: true }));
    const value = { [Symbol.for('multiprocess.reduce')]: () => [make, [[1, new Date(3)]]] };
    expect(copy(value)).toEqual({ items: [1, new Date(3)], made: true });
  });

  it('of URL, URLSearchParams, TextEncoder, TextDecoder and Intl arrive ready', () => {
    const [url, params, decoder, format, locale] = copy([
      new URL('https://a.example/p?q=1#h'),
      new URLSearchParams('a=1&a=2'),
      new TextDecoder('utf-16le', { fatal: true }),
      new Intl.NumberFormat('de-CH', { style: 'currency', currency: 'CHF' }),
      new Intl.Locale('fr-CA'),
    ] as const);
    expect(url.href).toBe('https://a.example/p?q=1#h');
    expect(params.getAll('a')).toEqual(['1', '2']);
    expect([decoder.encoding, decoder.fatal]).toEqual(['utf-16le', true]);
    expect(format.format(1234.5)).toBe(
      new Intl.NumberFormat('de-CH', { style: 'currency', currency: 'CHF' }).format(1234.5),
    );
    expect(locale.region).toBe('CA');
    expect(copy(new TextEncoder()).encode('a')).toEqual(new Uint8Array([97]));
    for (const name of [
      'Collator',
      'DateTimeFormat',
      'ListFormat',
      'PluralRules',
      'RelativeTimeFormat',
      'Segmenter',
    ] as const) {
      const value = new (Intl[name] as unknown as new (locale: string) => Intl.Collator)('en');
      expect(copy(value).resolvedOptions()).toEqual(value.resolvedOptions());
    }
  });
});

it('a reducer may call dumps itself', () => {
  const make = sameClass((bytes: Uint8Array) => loads(bytes));
  expect(copy([{ [Symbol.for('multiprocess.reduce')]: () => [make, [dumps({ inner: 1 })]] }])).toEqual([{ inner: 1 }]);
});

it('a message says whether its value can change', async () => {
  const { Encoder } = await import('../../src/reduction/index.js');
  const encoder = new Encoder();
  const flags = (value: unknown) => {
    const { stateless, constant } = encoder.encode(value);
    return [stateless, constant];
  };
  expect(flags(5)).toEqual([true, true]);
  expect(flags(sameClass(() => 1))).toEqual([true, true]);
  expect(flags(Object.freeze(['a', Object.freeze({ b: 1 })]))).toEqual([true, true]);
  expect(flags([1])).toEqual([false, false]);
  expect(flags([sameClass(() => 2)])).toEqual([false, false]);
  expect(flags(Object.freeze([new Map()]))).toEqual([false, false]);
});

it('an error thrown while a value is encoded leaves the encoder usable', () => {
  expect(() => dumps([{ a: Symbol('local') }])).toThrow(SerializationError);
  expectSame([1, { a: 2 }]);
});
