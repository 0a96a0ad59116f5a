/** Who may reach what: hand-made frames, values that run code, and serializers that do not. */
import { Client, type Connection, Process } from 'multiprocess';
import { BaseManager, type Remote } from 'multiprocess/managers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../support/seeded.js';

class Vault {
  static opened = 0;
  #inside = 'gold';
  n = 0;
  knock(by = 1): number {
    this.n += by;
    return this.n;
  }
  echo(value: unknown): unknown {
    return value;
  }
  async later(fn: (n: number) => unknown): Promise<unknown> {
    return await fn(this.n);
  }
  *items(n: number): Generator<number> {
    for (let i = 0; i < n; i++) yield i;
  }
  _open(): string {
    Vault.opened++;
    return this.#inside;
  }
  fail(): never {
    throw Object.assign(new RangeError('shut', { cause: new TypeError('locked') }), { level: 3, code: 'E_SHUT' });
  }
  other(): Vault {
    return new Vault();
  }
  opened(): number {
    return Vault.opened;
  }
}

class Vaults extends BaseManager.with({
  Vault: { callable: Vault, methodToTypeid: { other: 'Vault' } },
  Secret: { callable: () => new Vault(), exposed: ['knock'] },
}) {}

const codeOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    (value) => ['no error', value],
    (error: { code?: unknown }) => error.code,
  );

describe('hand-made frames', () => {
  let vaults: Vaults;
  beforeAll(async () => {
    vaults = new Vaults({ authkey: 'k' });
    await vaults.start();
  });
  afterAll(() => vaults.shutdown());

  async function connected(): Promise<Connection> {
    const connection = await Client(vaults.address!, { authkey: 'k' });
    const hello = frame({ kind: 1, object: process.pid, extra: 1 });
    await connection.sendBytes(hello);
    const welcome = await connection.recvBytes({ timeout: 10_000 });
    expect(welcome[0]).toBe(32);
    return connection;
  }

  function frame({
    kind = 0,
    flags = 0,
    member = 0,
    id = 0,
    object = 0,
    extra = 0,
    payload = new Uint8Array(0) as Uint8Array,
  }): Buffer {
    const bytes = Buffer.alloc(16 + payload.length);
    bytes[0] = kind;
    bytes[1] = flags;
    bytes.writeUInt16LE(member, 2);
    bytes.writeUInt32LE(id >>> 0, 4);
    bytes.writeUInt32LE(object >>> 0, 8);
    bytes.writeUInt32LE(extra >>> 0, 12);
    bytes.set(payload, 16);
    return bytes;
  }

  test('of any sort end neither server nor sessions, and reach nothing that is not exposed', async () => {
    const { random: pick } = seeded();
    const random = () => pick(1_000) / 1_000;
    const { dumps } = await import('multiprocess/reduction');
    const secret = await vaults.Secret();
    const vault = await vaults.Vault();
    const values: unknown[] = [
      undefined,
      null,
      0,
      -1,
      'x',
      '_open',
      'constructor',
      '__proto__',
      [],
      ['_open', []],
      ['constructor', ['return process']],
      ['knock', []],
      ['echo', [1]],
      ['Vault'],
      ['Secret', 1],
      ['nothing'],
      [[], []],
      [[1], [[0, null, 'function', 1]]],
      [[null], [[0, null, 'proxy', { server: 'x', object: 1 }]]],
      [[{}], [[0, '__proto__', 'function', 1]]],
      [{ length: 1e9 }],
      { a: 1 },
      new Map(),
      [Symbol.iterator],
    ];
    for (let round = 0; round < 20; round++) {
      const connection = await connected();
      // It answers or it hangs up: both are an end.
      const drained = (async () => {
        for await (const _ of connection) void _;
      })().catch(() => {});
      for (let i = 0; i < 60; i++) {
        const payload =
          random() < 0.7 ? dumps(values[pick(values.length)]) : Uint8Array.from({ length: pick(40) }, () => pick(256));
        const made = frame({
          kind: random() < 0.8 ? 1 + pick(14) : pick(256),
          flags: random() < 0.5 ? 0 : pick(8),
          member: random() < 0.7 ? pick(10) : pick(65_536),
          id: pick(5),
          object: random() < 0.8 ? pick(6) : pick(2 ** 31),
          extra: random() < 0.7 ? pick(8) : pick(2 ** 31),
          payload,
        });
        // Its own shutdown anybody may ask for.
        if (made[0] === 12 && made.readUInt16LE(2) === 5) continue;
        const cut = random() < 0.1 ? made.subarray(0, pick(16)) : made;
        if (
          (await connection.sendBytes(cut).then(
            () => true,
            () => false,
          )) === false
        )
          break;
      }
      connection.close();
      await drained;
    }
    expect(await vault.knock(0)).toBe(0);
    expect(await secret.knock(1)).toBe(1);
    expect(await vault.opened()).toBe(0);
  });

  test('a connection that does not begin with a hello is closed', async () => {
    const rude = await Client(vaults.address!, { authkey: 'k' });
    await rude.sendBytes(frame({ kind: 3 }));
    expect((await rude.recvBytes({ timeout: 10_000 }).catch(() => new Uint8Array([31])))[0]).toBe(31);
    rude.close();
    const secret = await vaults.Secret();
    expect(await secret.knock(1)).toBe(1);
  });

  test('an object that a client has no reference of cannot be called by it', async () => {
    const vault = await vaults.Vault();
    await vault.knock(1);
    const connection = await connected();
    const { dumps, loads } = await import('multiprocess/reduction');
    for (let object = 0; object < 10; object++) {
      await connection.sendBytes(frame({ kind: 3, id: 1, object, payload: dumps([1]) }));
      const answer = await connection.recvBytes({ timeout: 10_000 });
      expect(answer[0]).toBe(34);
      expect(loads<{ code: string }>(answer.subarray(16)).code).toBe('MP_NO_OBJECT');
    }
    connection.close();
  });
});

describe('with plain data only', () => {
  let vaults: Vaults;
  beforeAll(async () => {
    vaults = new Vaults({ serializer: 'msgpackr', authkey: 'k' });
    await vaults.start();
  });
  afterAll(() => vaults.shutdown());

  test('calls, proxies, functions, streams and errors work', async () => {
    const vault = await vaults.Vault();
    expect(await vault.knock(2)).toBe(2);
    expect(await vault.knock()).toBe(3);
    expect(await vault.n).toBe(3);
    expect(await vault.echo({ deep: [1, 'é', null, true, new Date(5)] })).toEqual({
      deep: [1, 'é', null, true, new Date(5)],
    });
    expect(await vault.later((n) => n * 2)).toBe(6);
    expect(await vault.items(600).toArray()).toEqual(Array.from({ length: 600 }, (_, i) => i));
    const other = (await vault.other()) as unknown as Remote<Vault>;
    expect(await other.knock(1)).toBe(1);
    expect(await vault.echo(other)).toBe(other);
    const error = await vault.fail().then(
      () => null,
      (caught: Error) => caught as Error & { level: number },
    );
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: 'shut', level: 3, code: 'E_SHUT', cause: { message: 'locked' } });
    expect(error!.stack).toMatch(/at .*fail/);
    expect(await codeOf(vault.callMethod('_open'))).toBe('MP_NOT_EXPOSED');
  });

  test('values that it cannot carry are refused with their path', async () => {
    const vault = await vaults.Vault();
    const error = await vault.echo({ a: [new Map()] }).then(
      () => null,
      (caught: Error) => caught,
    );
    expect(error).toMatchObject({ code: 'MP_NOT_PLAIN' });
    expect(await vault.knock(1)).toBe(1);
  });

  test('a client with another serializer gets an error, and the server goes on', async () => {
    class Others extends Vaults {}
    const others = new Others({ address: vaults.address!, authkey: 'k' });
    expect(await codeOf(others.connect({ timeout: 10_000 }))).toBe('MP_PROTOCOL');
    expect(await (await vaults.Vault()).knock(1)).toBe(1);
  });

  test('children receive proxies', async () => {
    const vault = await vaults.Vault();
    const child = await new Process(async (v: Remote<Vault>) => void (await v.knock(5)), { args: [vault] }).start();
    await child.join();
    expect(await vault.n).toBe(5);
  });

  test("a serializer of one's own works", async () => {
    const serializer = {
      encode: (value: unknown) => Buffer.from(JSON.stringify(value ?? null)),
      decode: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
    };
    await using own = new Vaults({ serializer });
    await own.start();
    const vault = await own.Vault();
    expect(await vault.echo({ a: [1, 'é', true, 2.5] })).toEqual({ a: [1, 'é', true, 2.5] });
    expect(await vault.later((n) => n + 1)).toBe(1);
    expect(() => new Vaults({ serializer: 'pickle' as never })).toThrow(/msgpackr/);
  });
});
