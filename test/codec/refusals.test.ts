import net from 'node:net';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { SerializationError } from '../../src/errors/index.js';
import { dumps, register } from '../../src/reduction/index.js';
import { installFunctionFixture, sameClass } from './function-fixture.js';

beforeAll(installFunctionFixture);

function refusalOf(value: unknown): SerializationError {
  try {
    dumps(value);
  } catch (error) {
    if (error instanceof SerializationError) return error;
    throw error;
  }
  throw new Error('The value was sent.');
}

describe('dumps refuses', () => {
  const cases: [string, () => unknown, string, RegExp][] = [
    ['a Promise', () => Promise.resolve(1), 'MP_PROMISE', /await it/],
    ['a WeakMap', () => new WeakMap(), 'MP_WEAK', /Map or Set/],
    ['a WeakSet', () => new WeakSet(), 'MP_WEAK', /Map or Set/],
    ['a WeakRef', () => new WeakRef({}), 'MP_WEAK', /Map or Set/],
    ['a local symbol', () => Symbol('mine'), 'MP_SYMBOL', /Symbol\.for\("mine"\)/],
    ['a SharedArrayBuffer', () => new SharedArrayBuffer(8), 'MP_SHARED_ARRAY_BUFFER', /SharedMemory/],
    [
      'a view of a SharedArrayBuffer',
      () => new Int32Array(new SharedArrayBuffer(8)),
      'MP_SHARED_ARRAY_BUFFER',
      /SharedMemory/,
    ],
    ['a socket', () => new net.Socket(), 'MP_NATIVE_OBJECT', /Socket: it is not connected/],
    ['a server', () => net.createServer(), 'MP_NATIVE_OBJECT', /Server: it is not listening/],
    ['a stream', () => Readable.from([1]), 'MP_NATIVE_OBJECT', /Readable/],
    [
      'a generator',
      () =>
        (function* () {
          yield 1;
        })(),
      'MP_NATIVE_OBJECT',
      /generator/,
    ],
    ['an iterator', () => new Map([[1, 2]]).entries(), 'MP_NATIVE_OBJECT', /Iterator/],
    ['an AbortController', () => new AbortController(), 'MP_NATIVE_OBJECT', /AbortController/],
    ['an AbortSignal that may still fire', () => new AbortController().signal, 'MP_NATIVE_OBJECT', /`signal` option/],
    ['a Blob', () => new Blob(['x']), 'MP_NATIVE_OBJECT', /arrayBuffer/],
  ];

  for (const [what, make, code, message] of cases) {
    it(`${what}, with ${code}, the path and a repair`, () => {
      const direct = refusalOf(make());
      expect(direct.code).toBe(code);
      expect(direct.message).toMatch(message);
      expect(direct.path).toBeUndefined();
      const nested = refusalOf({ list: [0, new Map([['key', { 'odd name': make() }]])] });
      expect(nested.code).toBe(code);
      expect(nested.path).toBe('["odd name"] <- .get("key") <- [1] <- .list');
      expect(nested.message).toContain(nested.path);
    });
  }

  it('an instance of a user class over a platform class', () => {
    class Mine extends Readable {}
    expect(refusalOf(new Mine())).toMatchObject({
      code: 'MP_NATIVE_OBJECT',
      message: expect.stringContaining('Mine (over Readable)'),
    });
  });

  it('a timer, a typed array of a prototype without class and a transferred ArrayBuffer', () => {
    const timer = setTimeout(() => {}, 0);
    clearTimeout(timer);
    expect(refusalOf({ timer })).toMatchObject({ code: 'MP_NATIVE_OBJECT', path: '.timer' });
    expect(refusalOf(Object.setPrototypeOf(new Uint8Array(4), Object.create(Uint8Array.prototype))).code).toBe(
      'MP_PLATFORM_SUBCLASS',
    );
    const gone = new ArrayBuffer(8);
    structuredClone(gone, { transfer: [gone] });
    expect(refusalOf([gone]).code).toBe('MP_DETACHED');
  });

  it('private fields without a reducer, and accepts private statics', () => {
    class Safe {
      #secret = 1;
      read() {
        return this.#secret;
      }
    }
    class Counted {
      static #count = 0;
      static next() {
        return ++Counted.#count;
      }
      v = 1;
    }
    sameClass(Safe);
    sameClass(Counted);
    expect(refusalOf([new Safe()])).toMatchObject({
      code: 'MP_PRIVATE_FIELDS',
      path: '[0]',
      message: expect.stringContaining('register(Safe, reduce)'),
    });
    expect(() => dumps(new Counted())).not.toThrow();
  });

  it('a value whose reducer needs the value itself, or returns something else', () => {
    class Loop {
      self = this;
    }
    const rebuild = sameClass(() => null);
    register(Loop, (loop) => [rebuild, [{ back: loop }]]);
    expect(refusalOf(new Loop())).toMatchObject({ code: 'MP_CYCLE', path: '.back <- [0] <- rebuild arguments' });
    class Wrong {}
    register(Wrong, () => 'nothing' as never);
    expect(refusalOf(new Wrong()).code).toBe('MP_REDUCER');
  });

  it('what a function refuses, with the path down to the function', () => {
    expect(refusalOf({ deep: [Math.max] })).toMatchObject({ code: 'MP_NATIVE_FUNCTION', path: '[0] <- .deep' });
  });

  it('registering something that is no class', () => {
    expect(() => register({} as never, () => [() => 1, []])).toThrow(/must be a class/);
    expect(() => register(class {}, 5 as never)).toThrow(/must be a function/);
  });
});
