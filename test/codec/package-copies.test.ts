/** Two installed copies of the package in one program: a library that brings its own. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const out = join(root, '.build/copies');
const library = join(out, 'library');
const copy = join(library, 'node_modules/multiprocess');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

function install(version: string): void {
  writeFileSync(join(copy, 'package.json'), JSON.stringify({ ...manifest, version }));
}

function run(program: string): unknown {
  const file = join(out, 'main.mjs');
  writeFileSync(file, program);
  const env = { ...process.env, NODE_NO_WARNINGS: '1', NODE_OPTIONS: '' };
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [file], {
    env,
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  if (status !== 0) throw new Error(`The program ended with ${status ?? signal}.\n${stderr.slice(-3_000)}`);
  return JSON.parse(stdout);
}

beforeAll(() => {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
  cpSync(join(root, 'build/Release/multiprocess.node'), join(copy, 'build/Release/multiprocess.node'));
  writeFileSync(join(library, 'package.json'), '{"name":"library","type":"module","exports":"./index.mjs"}');
  writeFileSync(
    join(library, 'index.mjs'),
    `import * as own from 'multiprocess';
    import { register } from 'multiprocess/reduction';
    export { own };
    class Secret { #value; constructor(value) { this.#value = value; } get value() { return this.#value; } }
    register(Secret, (secret) => [(value) => new Secret(value), [secret.value]]);
    export const secret = new Secret(5);`,
  );
});

const head = `import { Pool, struct, Value } from 'multiprocess'; import { own, secret } from './library/index.mjs';
const pool = new Pool({ processes: 1 });
const results = {};
const attempt = async (name, run) => { results[name] = await Promise.resolve().then(run).catch((error) => [error.code, error.message]); };
`;
const tail = `
await pool.terminate();
console.log(JSON.stringify(results));
process.exit();`;

describe('Objects of another copy', () => {
  test('of the same version are shared as those of one', () => {
    install(manifest.version);
    const results = run(`${head}
      await attempt('two copies', () => own.Pool !== Pool);
      const lock = new own.Lock();
      await attempt('lock', async () => { await lock.acquire(); const free = await pool.apply((l) => l.tryAcquire(), [lock]); lock.release(); return [free, await pool.apply((l) => l.tryAcquire(), [lock])]; });
      const queue = new own.Queue();
      await attempt('queue, captured', async () => { await pool.apply(() => queue.put('from there')); return queue.get(); });
      await attempt('identity', async () => (await pool.apply((q) => [q], [queue]))[0] === queue);
      const array = new own.SharedArray('i', 2);
      await attempt('array', async () => { await pool.apply((a) => void a.set(1, 9), [array]); return [...array]; });
      const condition = new own.Condition();
      await attempt('condition, with its lock', () => pool.apply((c) => c.constructor.name, [condition]));
      const joinable = new own.JoinableQueue();
      await attempt('a subclass', () => pool.apply((q) => q.constructor.name, [joinable]));
      const topic = new own.Topic();
      await attempt('topic', async () => { const got = new Promise((resolve) => { const s = topic.subscribe((x) => { resolve(x); s.unsubscribe(); }); }); await pool.apply((t) => t.publish('told'), [topic]); return got; });
      const [mine, theirs] = own.pipe();
      await attempt('connection', async () => { await pool.apply(async (c) => { await c.send('sent'); }, [theirs]); return mine.recv(); });
      await attempt('a reducer registered with the other copy', () => pool.apply((s) => s.value, [secret]));
      const Point = own.struct({ x: 'f64' });
      await attempt('a record type', async () => {
        const there = await pool.apply((type) => new Value(type, { x: 3 }).value.x, [Point]);
        const back = await pool.apply((type) => type, [Point]);
        return [there, await pool.apply(() => new Value(struct({ at: Point }), { at: { x: 4 } }).value.at.x), new Value(Point, { x: 5 }).value.x, back === Point];
      });
      const theirPool = new own.Pool({ processes: 1 });
      await attempt('a Pool', () => pool.apply(() => theirPool));
      await theirPool.terminate();
      ${tail}`);
    expect(results).toEqual({
      'two copies': true,
      lock: [false, true],
      'queue, captured': 'from there',
      identity: true,
      array: [0, 9],
      'condition, with its lock': 'Condition',
      'a subclass': 'JoinableQueue',
      topic: 'told',
      connection: 'sent',
      'a reducer registered with the other copy': 5,
      'a record type': [3, 4, 5, true],
      'a Pool': ['MP_NATIVE_OBJECT', expect.stringMatching(/captures `theirPool`.*call it outside of the function/)],
    });
  });

  test('of another version are refused by name, and the repair works', () => {
    const program = `${head}
      for (const make of [() => new own.Lock(), () => new own.Queue()]) { const made = make(); await attempt(made.constructor.name, () => pool.apply(() => String(made))); }
      ${tail}`;
    install('0.0.1');
    const refused = [
      'MP_OTHER_COPY',
      expect.stringMatching(
        /another installed copy of this package, multiprocess 0\.0\.1 in .*\/library\/node_modules\/multiprocess\/.*npm dedupe/,
      ),
    ];
    expect(run(program)).toEqual({ Lock: refused, Queue: refused });
    install(manifest.version);
    expect(run(program)).toEqual({ Lock: expect.stringMatching(/^<Lock/), Queue: expect.stringMatching(/^<Queue/) });
  });
});
