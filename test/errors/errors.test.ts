import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as errors from '../../src/errors/index.js';

type Errors = typeof errors;

const codes: Readonly<Record<keyof Errors & string, string>> = {
  MultiprocessError: 'MP_ERROR',
  ArgumentError: 'MP_INVALID_ARGUMENT',
  AuthenticationError: 'MP_AUTHENTICATION',
  BrokenBarrierError: 'MP_BROKEN_BARRIER',
  BufferTooShortError: 'MP_BUFFER_TOO_SHORT',
  ClosedError: 'MP_CLOSED',
  ConnectionError: 'MP_CONNECTION',
  MapFullError: 'MP_MAP_FULL',
  NotOwnerError: 'MP_NOT_OWNER',
  ProcessError: 'MP_PROCESS',
  ProducerLostError: 'MP_PRODUCER_LOST',
  QueueEmptyError: 'MP_QUEUE_EMPTY',
  QueueFullError: 'MP_QUEUE_FULL',
  RemoteError: 'MP_REMOTE',
  SerializationError: 'MP_NOT_SERIALIZABLE',
  StreamConsumedError: 'MP_STREAM_CONSUMED',
  StreamOverflowError: 'MP_STREAM_OVERFLOW',
  TimeoutError: 'MP_TIMEOUT',
  UnsupportedError: 'MP_UNSUPPORTED',
  WorkerCrashError: 'MP_WORKER_CRASH',
};

const details = {
  data: new Uint8Array([1]),
  pid: 1,
  exitCode: null,
  signal: 'SIGKILL',
  path: 'captured `db`',
} as const;
const make = (from: Errors, name: string, more: object = {}): Error =>
  new (from as unknown as Record<string, new (message: string, details: object) => Error>)[name]!('message', {
    ...details,
    ...more,
  });

it('every class is in the table below', () => {
  expect(Object.keys(errors).sort()).toEqual(Object.keys(codes).sort());
});

describe.each(Object.entries(codes))('%s', (name, code) => {
  it('has its name, its code and its message', () => {
    const error = make(errors, name);
    expect(error.name).toBe(name);
    expect(error).toMatchObject({ message: 'message', code });
    expect(error).toBeInstanceOf(errors.MultiprocessError);
    expect(error).toBeInstanceOf(Error);
    expect(error.stack).toMatch(new RegExp(`^${name}: message\\n`));
    expect(Object.prototype.toString.call(error)).toBe('[object Error]');
  });

  it('takes another code and a cause, also one that is undefined', () => {
    const cause = new Error('why');
    expect(make(errors, name, { code: 'MP_OTHER', cause })).toMatchObject({ code: 'MP_OTHER', cause });
    expect('cause' in make(errors, name)).toBe(false);
    expect('cause' in make(errors, name, { cause: undefined })).toBe(true);
  });
});

it('classes carry what the caller needs', () => {
  expect(make(errors, 'BufferTooShortError')).toMatchObject({ data: details.data });
  expect(make(errors, 'WorkerCrashError')).toMatchObject({ pid: 1, exitCode: null, signal: 'SIGKILL' });
  expect(make(errors, 'SerializationError')).toMatchObject({ path: details.path });
});

it('an error is printed with its code', () => {
  expect(inspect(new errors.ClosedError('gone', { code: 'MP_POOL_CLOSED' }))).toContain('MP_POOL_CLOSED');
});

describe('a second copy of the package', () => {
  let folder: string;
  let copy: Errors;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'multiprocess-copy-'));
    cpSync(fileURLToPath(new URL('../../dist', import.meta.url)), join(folder, 'dist'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    copy = await import(pathToFileURL(join(folder, 'dist/errors/index.js')).href);
    expect(copy.MultiprocessError).not.toBe(errors.MultiprocessError);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('throws errors that are instances of our classes of the same name and of their ancestors, and of no others', () => {
    for (const name of Object.keys(codes)) {
      const error = make(copy, name);
      for (const [other, type] of Object.entries(errors)) {
        expect(error instanceof (type as unknown as new () => Error), `${name} instanceof ${other}`).toBe(
          other === name || other === 'MultiprocessError',
        );
      }
    }
  });

  it('recognizes ours', () => {
    expect(new errors.TimeoutError('x')).toBeInstanceOf(copy.TimeoutError);
    expect(new errors.TimeoutError('x')).not.toBeInstanceOf(copy.ClosedError);
  });
});

it('a class of the user is only its own, though it extends one of ours', () => {
  class Mine extends errors.TimeoutError {}
  const mine = new Mine('x');
  expect(mine).toBeInstanceOf(Mine);
  expect(mine).toBeInstanceOf(errors.TimeoutError);
  expect(mine).toMatchObject({ code: 'MP_TIMEOUT' });
  expect(new errors.TimeoutError('x')).not.toBeInstanceOf(Mine);
});

it.each([null, undefined, 1, 'MultiprocessError', {}, new Error('x'), Object.create(null)])(
  '%o is none of ours',
  (value) => {
    expect(value instanceof errors.MultiprocessError).toBe(false);
  },
);
