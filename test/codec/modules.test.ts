import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Decoder,
  dump,
  dumps,
  loadedModule,
  loads,
  loadsAsync,
  type ModuleRequest,
  type NodeKind,
  PendingValue,
  registerKind,
  setFunctionReducer,
} from '../../src/reduction/index.js';

const folder = mkdtempSync(join(tmpdir(), 'reduction-'));
const parent = pathToFileURL(join(folder, 'main.mjs')).href;
afterAll(() => rmSync(folder, { recursive: true }));

/** Sends a function as an export of a module. */
const exported: NodeKind = {
  tag: 'test:export',
  shell: false,
  modules: (data) => [(data as { request: ModuleRequest }).request],
  build: (data) => {
    const { request, name } = data as { request: ModuleRequest; name: string };
    return { value: (loadedModule(request) as Record<string, unknown>)[name] };
  },
};

function exportOf(specifier: string, name: string): () => void {
  return Object.assign(() => {}, { request: { specifier, parent }, exportName: name });
}

beforeAll(() => {
  registerKind(exported);
  setFunctionReducer((fn) => {
    const { request, exportName } = fn as unknown as { request: ModuleRequest; exportName: string };
    return { kind: exported.tag, data: { request, name: exportName }, children: [], label: () => '' };
  });
  writeFileSync(join(folder, 'plain.mjs'), 'export const answer = () => 42;');
  writeFileSync(join(folder, 'common.cjs'), 'exports.answer = () => 43;');
  writeFileSync(join(folder, 'waits.mjs'), 'await null; export const answer = () => 44;');
  writeFileSync(join(folder, 'broken.mjs'), 'throw new Error("broken on load");');
});

describe('a message that needs modules', () => {
  it('is pending until they are loaded, and immediate from then on', async () => {
    const bytes = dumps([exportOf('./plain.mjs', 'answer'), exportOf('node:path', 'sep')]);
    const ring = Uint8Array.from(bytes);
    const pending = new Decoder().decode(ring, 0, ring.length);
    ring.fill(0);
    expect(pending).toBeInstanceOf(PendingValue);
    const [answer, separator] = (await (pending as PendingValue).ready) as [() => number, string];
    expect([answer(), separator]).toEqual([42, '/']);
    expect((new Decoder().decode(bytes, 0, bytes.length) as [() => number])[0]()).toBe(42);
  });

  it('loads ES and CommonJS modules before loads returns', () => {
    writeFileSync(join(folder, 'sync.mjs'), 'export const answer = () => 45;');
    const whole = exportOf(new URL('plain.mjs', parent).href, 'answer');
    const all = [exportOf('./sync.mjs', 'answer'), exportOf('./common.cjs', 'answer'), whole];
    expect(loads<(() => number)[]>(dumps(all)).map((answer) => answer())).toEqual([45, 43, 42]);
  });

  it('with a top-level await is refused by loads, with the advice to use loadsAsync, which carries it', async () => {
    const bytes = dumps([exportOf('./waits.mjs', 'answer')]);
    expect(() => loads(bytes)).toThrow(
      expect.objectContaining({ code: 'MP_ASYNC_MODULE', message: expect.stringContaining('loadsAsync') }),
    );
    expect((await loadsAsync<[() => number]>(bytes))[0]()).toBe(44);
  });

  it('that does not load names the module, its importer and the reason', async () => {
    const broken = dumps([exportOf('./broken.mjs', 'x')]);
    await expect(loadsAsync(broken)).rejects.toMatchObject({
      code: 'MP_MODULE_FAILED',
      message: expect.stringMatching(/broken\.mjs.*main\.mjs.*broken on load/),
    });
    const missing = dumps([exportOf('./missing.mjs', 'x')]);
    expect(() => loads(missing)).toThrow(expect.objectContaining({ code: 'MP_MODULE_FAILED' }));
  });
});

describe('dump', () => {
  it('writes what loads reads, and waits until the stream took it', async () => {
    const stream = new PassThrough({ highWaterMark: 16 });
    const received: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => received.push(chunk));
    await dump({ big: 'x'.repeat(1000) }, stream);
    stream.end();
    expect(loads(Buffer.concat(received))).toEqual({ big: 'x'.repeat(1000) });
  });

  it('encodes at the call, and calls that are not awaited write in their order', async () => {
    const stream = new PassThrough({ highWaterMark: 1 });
    const received: Buffer[] = [];
    const list = [1];
    const first = dump(list, stream);
    list.push(2);
    const second = dump(list, stream);
    stream.on('data', (chunk: Buffer) => received.push(chunk));
    await Promise.all([first, second]);
    expect(received.map((bytes) => loads(bytes))).toEqual([[1], [1, 2]]);
    expect(stream.writable).toBe(true);
  });

  it('writes nothing of a value that cannot be sent', async () => {
    const stream = new PassThrough();
    await expect(dump(['x'.repeat(1000), Promise.resolve()], stream)).rejects.toMatchObject({
      code: 'MP_PROMISE',
      path: '[1]',
    });
    expect(stream.readableLength).toBe(0);
  });

  it('rejects when the stream is destroyed while it waits, was ended, or is none', async () => {
    const full = new PassThrough({ highWaterMark: 1 });
    full.write('full');
    const waiting = dump([1], full);
    full.destroy();
    await expect(waiting).rejects.toThrow(/closed before it took|destroyed/);
    const failing = new PassThrough({ highWaterMark: 1 });
    failing.on('error', () => {});
    const both = Promise.allSettled([dump([1], failing), dump([2], failing)]);
    failing.destroy(new Error('disk full'));
    expect((await both)[1]).toMatchObject({ reason: { message: expect.stringMatching(/disk full|destroyed/) } });
    const ended = new PassThrough();
    ended.on('error', () => {});
    ended.end();
    await expect(dump([1], ended)).rejects.toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    for (const none of [undefined, null, {}, 'file']) {
      await expect(dump([1], none as unknown as PassThrough)).rejects.toMatchObject({ code: 'MP_INVALID_ARGUMENT' });
    }
  });

  it('rejects with the error of the stream', async () => {
    const stream = new PassThrough();
    stream.on('error', () => {});
    stream.destroy();
    await expect(dump([1], stream)).rejects.toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
  });
});
