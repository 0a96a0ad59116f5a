import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors/index.js';
import { checkBoolean, checkNumber, checkOptions, describe as said } from '../../src/util/options.js';

const known = ['processes', 'initializer', 'maxTasksPerChild', 'signal'];

function refusal(run: () => unknown): { message: string; code: string } {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    const { message, code } = error as ArgumentError;
    return { message, code };
  }
  throw new Error('It was not refused.');
}

describe('checkOptions', () => {
  it('takes known options, none, and undefined', () => {
    checkOptions('Pool', { processes: 1, signal: undefined }, known);
    checkOptions('Pool', {}, known);
    checkOptions('Pool', undefined, known);
    checkOptions('Pool', Object.create({ inherited: 1 }), known);
  });

  it.each([
    ['proceses', 'processes'],
    ['PROCESSES', 'processes'],
    ['process', 'processes'],
    ['maxtasksperchild', 'maxTasksPerChild'],
    ['maxTaskPerChild', 'maxTasksPerChild'],
    ['initialiser', 'initializer'],
    ['singal', 'signal'],
    ['signalToStop', 'signal'],
  ])('answers `%s` with `%s`', (name, near) => {
    expect(refusal(() => checkOptions('Pool', { [name]: 1 }, known))).toEqual({
      code: 'MP_UNKNOWN_OPTION',
      message: `Pool: misspelled option \`${name}\`: did you mean \`${near}\`?`,
    });
  });

  it.each(['x', 'timeout', 'workers'])('lists what is known when `%s` is like none of it', (name) => {
    expect(refusal(() => checkOptions('Pool', { [name]: 1 }, known))).toEqual({
      code: 'MP_UNKNOWN_OPTION',
      message: `Pool: unknown option \`${name}\`; known are \`processes\`, \`initializer\`, \`maxTasksPerChild\`, \`signal\`.`,
    });
  });

  it.each([
    [null, 'null'],
    [4, '4'],
    ['spawn', '"spawn"'],
    [() => 1, 'a function'],
  ])('refuses %o as options', (options, name) => {
    expect(refusal(() => checkOptions('Pool', options, known))).toEqual({
      code: 'MP_INVALID_ARGUMENT',
      message: `Pool: options must be an object, not ${name}.`,
    });
  });
});

describe('checkNumber', () => {
  it.each([
    [0, {}],
    [1.5, {}],
    [3, { min: 3, integer: true }],
    [Number.POSITIVE_INFINITY, { infinite: true }],
    [Number.POSITIVE_INFINITY, { infinite: true, integer: true }],
    [-5, { min: -5 }],
    [undefined, { min: 1 }],
  ])('lets %s pass under %o', (value, rule) => {
    expect(checkNumber('Pool', 'size', value, rule)).toBe(value);
  });

  it.each([
    [-1, {}, 'a number of at least 0, not -1'],
    [Number.NaN, {}, 'a number of at least 0, not NaN'],
    [Number.POSITIVE_INFINITY, {}, 'a finite number of at least 0, not Infinity'],
    [Number.NEGATIVE_INFINITY, { infinite: true }, 'a number of at least 0, not -Infinity'],
    [1.5, { integer: true }, 'an integer of at least 0, not 1.5'],
    [2, { min: 3 }, 'a number of at least 3, not 2'],
    ['3', {}, 'a number of at least 0, not "3"'],
    [3n, {}, 'a number of at least 0, not 3n'],
    [null, {}, 'a number of at least 0, not null'],
    [new Date(0), {}, 'a number of at least 0, not an instance of Date'],
  ])('refuses %s under %o', (value, rule, message) => {
    expect(refusal(() => checkNumber('Pool', 'size', value, rule))).toEqual({
      code: 'MP_INVALID_ARGUMENT',
      message: `Pool: \`size\` must be ${message}.`,
    });
  });
});

it.each([
  ['x'.repeat(50), `"${'x'.repeat(40)}…"`],
  ['a"b', '"a\\"b"'],
  [function named() {}, 'function named'],
  [Object.create(null), 'an object'],
  [[], 'an instance of Array'],
  [Symbol('s'), 'Symbol(s)'],
  [true, 'true'],
])('a value in a message is short and never fails: %o', (value, text) => {
  expect(said(value)).toBe(text);
});

it('an object that throws when it is looked at can still be named', () => {
  const hostile = new Proxy(
    {},
    {
      getPrototypeOf() {
        throw new Error('no');
      },
    },
  );
  expect(said(hostile)).toBe('an object');
});

describe('checkBoolean', () => {
  it('returns true, false, and undefined where it may be left out', () => {
    for (const value of [true, false, undefined]) expect(checkBoolean('pipe', 'duplex', value)).toBe(value);
    const { message } = refusal(() => checkBoolean('Process', 'daemon', undefined, { required: true }));
    expect(message).toBe('Process: `daemon` must be true or false, not undefined.');
  });

  it.each([
    ['false', '"false"'],
    [0, '0'],
    [null, 'null'],
    [new Boolean(true), 'an instance of Boolean'],
  ])('refuses %s', (value, text) => {
    const { message, code } = refusal(() => checkBoolean('pipe', 'duplex', value));
    expect(message).toBe(`pipe: \`duplex\` must be true or false, not ${text}.`);
    expect(code).toBe('MP_INVALID_ARGUMENT');
  });
});
