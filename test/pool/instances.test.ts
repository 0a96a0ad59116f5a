/** Instances of classes over builtin ones, values of other realms and results of Node's modules, to a worker and back. */
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import tls from 'node:tls';
import url from 'node:url';
import util from 'node:util';
import vm from 'node:vm';
import { Pool, pipe, RawArray, ThreadPool } from 'multiprocess';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure, Pattern, Vector } from '../fixtures/values/shapes.mjs';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 1 });
});
afterAll(() => pool.terminate());

/** To the worker and back, through two encodings. */
const echo = <T>(value: T): Promise<T> => pool.apply((arrived: T) => arrived, [value]);

describe('instances of classes over a builtin', () => {
  class Re extends RegExp {
    tag = [this];
  }
  class Matrix extends Float64Array {
    width = 2;
    row(index: number): Matrix {
      return this.subarray(index * this.width, (index + 1) * this.width) as Matrix;
    }
  }
  class Bytes extends Uint8Array {}
  class Memory extends ArrayBuffer {
    label = 'memory';
  }
  // @ts-expect-error The types of TypeScript do not let it be extended.
  class Section extends DataView {
    label = 'view';
  }
  const section = (...args: unknown[]): Section & DataView =>
    Reflect.construct(Section as unknown as Function, args) as Section & DataView;
  class Count extends Number {
    unit = 'm';
  }
  class Text extends String {
    language = 'en';
  }
  class Yes extends Boolean {}
  class Place extends URL {
    visited = true;
  }
  class Query extends URLSearchParams {}

  it('of closures keep class, content and fields in the worker', async () => {
    const memory = new Memory(16);
    const seen = await pool.apply(
      (
        re: Re,
        matrix: Matrix,
        view: Section & DataView,
        part: Bytes,
        count: Count,
        text: Text,
        yes: Yes,
        place: Place,
        query: Query,
      ) => [
        re.constructor.name,
        re.test('xaX'),
        re.tag[0] === re,
        matrix.constructor.name,
        [...matrix.row(1)],
        matrix.width,
        [view.constructor.name, view.label, view.byteOffset, view.byteLength],
        view.buffer === part.buffer && (part.buffer as unknown as Memory).label,
        part.constructor.name,
        [count.constructor.name, Number(count) + 1, count.unit],
        [text.constructor.name, text.length, `${text}`, text.language],
        [yes.constructor.name, yes.valueOf()],
        [place.constructor.name, place.pathname, place.visited],
        [query.constructor.name, query.get('b')],
      ],
      [
        new Re('ax', 'gi'),
        Matrix.from([1, 2, 3, 4]) as Matrix,
        section(memory, 4, 8),
        new Bytes(memory, 2, 4),
        new Count(4),
        new Text('abc'),
        new Yes(false),
        new Place('http://host/path'),
        new Query('a=1&b=2'),
      ],
    );
    expect(seen).toEqual([
      'Re',
      true,
      true,
      'Matrix',
      [3, 4],
      2,
      ['Section', 'view', 4, 8],
      'memory',
      'Bytes',
      ['Count', 5, 'm'],
      ['Text', 3, 'abc', 'en'],
      ['Yes', false],
      ['Place', '/path', true],
      ['Query', '2'],
    ]);
  });

  it('come back as the class they went with, modules included', async () => {
    const pattern = await echo(new Pattern('ab', 'y'));
    expect([pattern.constructor.name, pattern.doubled, pattern.flags, pattern.label]).toEqual([
      'Pattern',
      'abab',
      'y',
      'pattern',
    ]);
    const vector = await echo(Object.assign(new Vector(5000).fill(2), { extra: 1 }));
    expect([vector.constructor.name, vector.sum(), vector.label, (vector as { extra?: number }).extra]).toEqual([
      'Vector',
      10_000,
      'vector',
      1,
    ]);
    const failure = await echo(new Failure('disk', 'full', { free: 0 }));
    expect(failure).toBeInstanceOf(RangeError);
    expect(failure).toMatchObject({ name: 'Failure', message: 'disk: full', detail: { free: 0 } });
  });
});

it('what a vm context made arrives as of this realm', async () => {
  const made = vm.runInNewContext(`
    class Table extends Map { note = 'n' }
    class Wave extends Float32Array {}
    class Point { x = 1 }
    ({ map: new Map([[1, new Set([2])]]), date: new Date(5), re: /a/gi, floats: new Float64Array([1, 2]), bytes: new Uint8Array([1]).buffer,
      view: new DataView(new ArrayBuffer(4)), list: [1, [2]], bare: Object.assign(Object.create(null), { b: 1 }), boxed: [new Number(1), new String('s')],
      args: (function () { return arguments; })(1, 2), table: new Table([[1, 2]]), wave: new Wave([3]), point: new Point(),
      error: new TypeError('t'), fn: (a) => a + 1, named(a) { return a * 2; } })`) as Record<string, never>;
  type Any = Record<string, object> & { table: { note: string }; fn(a: number): number; named(a: number): number };
  const seen = await pool.apply(
    (v: Any) => [
      v.map instanceof Map && v.map.get(1) instanceof Set,
      v.date instanceof Date,
      v.re instanceof RegExp,
      v.floats instanceof Float64Array,
      v.bytes instanceof ArrayBuffer,
      v.view instanceof DataView,
      Array.isArray(v.list),
      Object.getPrototypeOf(v.bare),
      (v.boxed as object[]).map((one) => [one instanceof Number, one instanceof String]),
      Object.prototype.toString.call(v.args),
      [v.table instanceof Map, v.table.constructor.name, v.table.note],
      [v.wave instanceof Float32Array, v.wave?.constructor.name],
      v.point?.constructor.name,
      v.error instanceof TypeError,
      v.fn(1),
      v.named(2),
    ],
    [made as unknown as Any],
  );
  expect(seen).toEqual([
    ...Array(7).fill(true),
    null,
    [
      [true, false],
      [false, true],
    ],
    '[object Arguments]',
    [true, 'Table', 'n'],
    [true, 'Wave'],
    'Point',
    true,
    2,
    4,
  ]);
});

describe('results of Node', () => {
  const dirent = fs.readdirSync('/', { withFileTypes: true }).find((entry) => entry.isDirectory())!;
  const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');
  const values: Record<string, object> = {
    'fs.Stats': fs.statSync('/'),
    'fs.Stats of bigints': fs.statSync('/', { bigint: true }),
    'fs.StatFs': fs.statfsSync('/'),
    'fs.Dirent': dirent,
    'os.cpus': os.cpus(),
    'os.networkInterfaces': os.networkInterfaces(),
    'os.constants': os.constants,
    'process.versions': process.versions,
    'process.memoryUsage': process.memoryUsage(),
    'process.resourceUsage': process.resourceUsage(),
    'util.parseArgs': util.parseArgs({
      args: ['-a', 'x'],
      options: { a: { type: 'boolean', short: 'a' } },
      allowPositionals: true,
      tokens: true,
    }),
    MIMEType: new util.MIMEType('text/html;charset=utf-8'),
    X509Certificate: new crypto.X509Certificate(tls.rootCertificates[0]!),
    'url.Url': Object.assign(new (url as unknown as { Url: new () => object }).Url(), {
      href: 'http://a/b',
      host: 'a',
    }),
  };
  for (const [name, value] of Object.entries(values)) {
    it(`${name} arrives as it is`, async () => {
      const arrived = await echo(value);
      expect(Object.getPrototypeOf(arrived)).toBe(Object.getPrototypeOf(value));
      expect(util.inspect(arrived, { depth: 6 })).toBe(util.inspect(value, { depth: 6 }));
    });
  }

  it('methods of fs.Stats and fs.Dirent work in the worker', async () => {
    const seen = await pool.apply(
      (stats: fs.Stats, entry: fs.Dirent) => [stats.isDirectory(), stats.mtime instanceof Date, entry.isDirectory()],
      [fs.statSync('/'), dirent],
    );
    expect(seen).toEqual([true, true, true]);
  });

  it('process.env arrives as its copy', async () => {
    expect(await echo(process.env)).toEqual({ ...process.env });
  });

  it('keys of node:crypto work in the worker', async () => {
    const signature = await pool.apply(
      (key: crypto.KeyObject) => process.getBuiltinModule('node:crypto').sign(null, Buffer.from('text'), key),
      [privateKey],
    );
    expect(crypto.verify(null, Buffer.from('text'), publicKey, signature)).toBe(true);
    expect((await echo(publicKey)).equals(publicKey)).toBe(true);
    expect((await echo(crypto.createSecretKey(Buffer.from('secret')))).export().toString()).toBe('secret');
  });
});

describe('refused with a repair that works', () => {
  const refusal = (value: unknown): Promise<string> =>
    echo(value).then(
      () => 'was sent',
      (error: Error) => error.message,
    );

  it('a Response and a Request', async () => {
    const response = new Response('body', { status: 201 });
    expect(await refusal(response)).toContain('new Uint8Array(await response.arrayBuffer())');
    expect(await pool.apply((bytes: Uint8Array) => bytes.length, [new Uint8Array(await response.arrayBuffer())])).toBe(
      4,
    );
    expect(await refusal(new Request('http://host/'))).toContain('url, method and headers');
  });

  it('a CryptoKey', async () => {
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']);
    expect(await refusal(key)).toContain("exportKey('jwk', key)");
    expect(await pool.apply((jwk: { kty?: string }) => jwk.kty, [await crypto.subtle.exportKey('jwk', key)])).toBe(
      'oct',
    );
  });

  it('entries of node:perf_hooks', async () => {
    const mark = performance.mark('here');
    expect(await refusal(mark)).toContain('toJSON()');
    expect(await pool.apply((entry: { name: string }) => entry.name, [mark.toJSON()])).toBe('here');
    expect(await refusal(performance.nodeTiming)).toContain('toJSON()');
  });

  it('a Proxy of what it cannot show', async () => {
    for (const value of [new Map([[1, 2]]), new Set(), new Date(), /a/, new Float64Array(2), new Vector(2)]) {
      expect(await refusal(new Proxy(value, {}))).toMatch(/a Proxy of a \w+.*send the object behind it/);
    }
  });

  it('a SharedArrayBuffer: an array in shared memory is the same for threads and processes', async () => {
    expect(await refusal(new SharedArrayBuffer(8))).toMatch(/neither to a process nor to a thread.*RawArray/);
    for (const each of [pool, new ThreadPool({ processes: 1 })]) {
      const { array } = new RawArray('f64', 2);
      await each.apply(
        (shared: Float64Array) => {
          shared[1] = 5;
        },
        [array as Float64Array],
      );
      expect(array[1]).toBe(5);
      if (each !== pool) await each.terminate();
    }
  });

  it('a WebAssembly.Module: its bytes are compiled there', async () => {
    const bytes = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0]);
    const { Module } = (globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object } })
      .WebAssembly;
    expect(await refusal(new Module(bytes))).toContain('new WebAssembly.Module(bytes)');
    const seen = await pool.apply(
      (sent: Uint8Array) => {
        const { Module: Local } = (
          globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object } }
        ).WebAssembly;
        return Object.prototype.toString.call(new Local(sent));
      },
      [bytes],
    );
    expect(seen).toBe('[object WebAssembly.Module]');
  });

  it('a MessagePort: the connection of a pipe goes', async () => {
    const { port1 } = new MessageChannel();
    expect(await refusal(port1)).toContain('use pipe()');
    port1.close();
    const [here, there] = pipe();
    await pool.apply((connection: typeof there) => connection.send('from the worker'), [there]);
    expect(await here.recv()).toBe('from the worker');
    here.close();
    there.close();
  });
});
