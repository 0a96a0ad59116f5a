// Each refusal, provoked; and its repair, as the message says it, carried out. Output, through MP_RESULT: { title: { code, repair, result } }.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { Readable } from 'node:stream';
import { Client, currentTask, Listener, Pool, SharedArray, Topic, task } from 'multiprocess';
import { dumps, loads, loadsAsync, register } from 'multiprocess/reduction';
import { firstValueFrom, Subject } from 'rxjs';
import { makeLogger, makeSchema } from './made.mjs';
import { logger, schema } from './schema.mjs';

const require = createRequire(import.meta.url);
const major = Number(process.versions.node.split('.')[0]);
const pool = new Pool({ processes: 1 });
const there = (fn, ...args) => pool.apply(fn, args);

let names = 0;
class ComputedField {
  [`name${names++}`] = 7;
}
const fieldName = 'name0';
class RepairedField {
  constructor() {
    this[fieldName] = 7;
  }
}
class Scaler {
  factor = 3;
  #secret = 4;
  run = (x) => x * this.factor;
  reads = () => (x) => x * this.factor;
  calls = () => (x) => this.twice(x);
  twice(x) {
    return x * 2;
  }
  peeks() {
    return (x) => x * this.#secret;
  }
  peeksRepaired() {
    const secret = this.#secret;
    return (x) => x * secret;
  }
  readsNow() {
    return attempt((x) => x * this.factor);
  }
  peek() {
    return this.#secret;
  }
}
class Plain {
  run = (x) => this.twice(x);
  reads() {
    return (x) => x * this.factor;
  }
  factor = 3;
  readsRepaired() {
    const { factor } = this;
    return (x) => x * factor;
  }
  calls() {
    return (x) => this.twice(x);
  }
  callsRepaired() {
    // biome-ignore lint/complexity/noUselessThisAlias: the form that the message shows
    const self = this;
    return (x) => self.twice(x);
  }
  twice(x) {
    return x * 2;
  }
}
class Base {
  name() {
    return 'base';
  }
}
class Derived extends Base {
  name() {
    return `${super.name()} derived`;
  }
  repaired() {
    return `${Base.prototype.name.call(this)} derived`;
  }
}
class Money {
  #cents;
  constructor(cents) {
    this.#cents = cents;
  }
  get cents() {
    return this.#cents;
  }
}
class Registered extends Money {}
register(Registered, (money) => [(cents) => new Registered(cents), [money.cents]]);
class Reduces extends Money {
  [Symbol.for('multiprocess.reduce')]() {
    return [(cents) => new Reduces(cents), [this.cents]];
  }
}
class Lines extends Readable {
  lines = ['a'];
}
class RegisteredLines extends Lines {}
register(RegisteredLines, ({ lines }) => [(given) => Object.assign(new RegisteredLines(), { lines: given }), [lines]]);
class Bits extends Uint8Array {}
class Node {
  children = [];
}
register(Node, (node) => [(children) => Object.assign(new Node(), { children }), [node.children]]);
class NodeRepaired {
  children = [];
}
register(NodeRepaired, (node) => [
  (children) => {
    const made = Object.assign(new NodeRepaired(), { children });
    for (const child of children) child.parent = made;
    return made;
  },
  [node.children.map(({ parent, ...rest }) => rest)],
]);
class Wrong {}
register(Wrong, () => 'nothing');
class Right {}
register(Right, () => [() => new Right(), []]);

const madeSchema = makeSchema();
const madeLogger = makeLogger();
const signalled = new AbortController();

/** The refusal of a value or of a function, without sending it. */
function attempt(value) {
  try {
    dumps(value);
  } catch (error) {
    return { code: error.code, message: error.message, repair: error.repair };
  }
  return { code: 'sent' };
}
const decoded = (value) => loads(dumps(value));
async function refusalOf(run) {
  try {
    await run();
  } catch (error) {
    return { code: error.code, message: error.message, repair: error.repair };
  }
  return { code: 'done' };
}

/** The refusal, and what carrying out the repair gives. */
const cases = {
  'an outer this of which members are read': [
    () => attempt(new Plain().reads()),
    () => there(new Plain().readsRepaired(), 2),
  ],
  'an outer this whose methods are called': [
    () => attempt(new Plain().calls()),
    () => there(new Plain().callsRepaired(), 2),
  ],
  'an outer this with #private fields': [
    () => new Scaler().readsNow(),
    () => {
      const { factor } = new Scaler();
      return there((x) => x * factor, 2);
    },
  ],
  'the this of a field': [
    () => attempt(new Plain().run),
    () => {
      const instance = new Plain();
      return there((item) => instance.run(item), 2);
    },
  ],
  'the name of the function expression around': [
    () => attempt((function outer() { return () => outer.name; })()), // biome-ignore format: one line
    () => {
      // biome-ignore lint/complexity/useArrowFunction: the form that the message shows
      const outer = function () {
        return () => outer.name;
      };
      return there(outer());
    },
  ],
  'the new.target of the function around': [
    () => attempt(new (function F() { return () => new.target.name; })()), // biome-ignore format: one line
    () =>
      there(
        new (function F() {
          const target = new.target;
          return () => target.name;
        })(),
      ),
  ],
  'super in a method': [() => attempt(Derived.prototype.name), () => there((it) => it.name(), new Derived())],
  'super in a method, called by name': [() => attempt(Derived.prototype.name), () => there(Derived.prototype.repaired)],
  'a private name in an arrow': [() => attempt(new Scaler().peeks()), () => there(new Scaler().peeksRepaired(), 2)],
  'a private name in a method': [
    () => attempt(Scaler.prototype.peek),
    () => there((Type) => new Type().peek(), Scaler),
  ],
  'a field with a computed name': [
    () => attempt(ComputedField),
    () => there((Type) => new Type().name0, RepairedField),
  ],
  'a direct eval': [
    // biome-ignore lint/security/noGlobalEval: the case itself
    () => attempt((text) => eval(text)),
    () => there(new Function('text', 'return (0, eval)(text)'), '1 + 1'),
  ],
  'a variable without a value': [
    () => {
      const result = attempt(() => late);
      const late = 7;
      return major < 22 ? { code: 'MP_UNINITIALISED', message: '', repair: 'after the line that declares' } : result;
    },
    () => {
      const late = 7;
      return there(() => late);
    },
  ],
  'module of CommonJS': [
    () => attempt(require('./commonjs.cjs').all.refused),
    () => there(require('./commonjs.cjs').all.repaired),
  ],
  'native code without a name': [
    () => new Promise((resolve) => resolve(attempt((x) => resolve(x)))),
    () =>
      new Promise((resolve) => {
        there((x) => x * 2, 2).then((result) => resolve(result));
      }),
  ],
  'captures of task()': [
    () => {
      const factor = 3;
      return attempt(task({}, (_, x) => x * factor));
    },
    () =>
      there(
        task({ factor: 3 }, ({ factor }, x) => x * factor),
        2,
      ),
  ],
  'a module with a top-level await': [
    async () => {
      const { read } = await import('./top-level-await.mjs');
      const bytes = dumps(read);
      return refusalOf(() => loads(bytes));
    },
    async () => (await loadsAsync(dumps((await import('./top-level-await.mjs')).read)))(),
  ],
  'a schema made here by other code': [
    () => attempt((x) => madeSchema.parse(x)),
    () => there((x) => schema.parse(x), {}),
  ],
  'a part of a schema made here by other code': [
    () => attempt((x) => madeSchema.inner.deep[0](x)),
    () => there((x) => schema.inner.deep[0](x), {}),
  ],
  'a logger made here by other code': [
    () => attempt((x) => madeLogger.log(x)),
    () => there((x) => logger.log(x), 'line'),
  ],
  'a Promise': [() => attempt(Promise.resolve(1)), async () => decoded(await Promise.resolve(1))],
  'a WeakMap': [() => attempt(new WeakMap()), () => decoded(new Map([['key', 1]])).get('key')],
  'a WeakSet': [() => attempt(new WeakSet()), () => decoded(new Set([1])).has(1)],
  'a symbol': [() => attempt(Symbol('mine')), () => decoded(Symbol.for('mine')) === Symbol.for('mine')],
  'a SharedArrayBuffer': [
    () => attempt(new SharedArrayBuffer(8)),
    async () => {
      const shared = new SharedArray('i', 1);
      await there((array) => void array.set(0, 7), shared);
      return [shared.get(0), decoded(new Uint8Array(new SharedArrayBuffer(3)).slice()).length];
    },
  ],
  'a running generator': [
    () => attempt((function* () { yield 1; })()), // biome-ignore format: one line
    () => {
      const items = function* () {
        yield 1;
      };
      return there((make) => [...make()], items);
    },
  ],
  'an iterator': [() => attempt(new Map([[1, 2]]).entries()), () => decoded([...new Map([[1, 2]]).entries()])],
  'a module namespace': [
    async () => attempt({ namespace: await import('data:text/javascript,export const schema = 1') }),
    () => there(async (url) => (await import(url)).schema.parse({}), new URL('./schema.mjs', import.meta.url).href),
  ],
  'a CryptoKey': [
    async () => attempt(await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt'])),
    async () => {
      const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']);
      const jwk = await crypto.subtle.exportKey('jwk', key);
      return there(
        async (given) => (await crypto.subtle.importKey('jwk', given, 'AES-GCM', true, ['encrypt'])).algorithm.length,
        jwk,
      );
    },
  ],
  'a performance mark': [
    () => attempt(performance.mark('start')),
    () => there((mark) => mark.name, performance.mark('start').toJSON()),
  ],
  'a Proxy of a Map': [
    () => attempt(new Proxy(new Map([[1, 2]]), {})),
    () => there((map) => map.get(1), new Map([[1, 2]])),
  ],
  'a Hash': [
    () => attempt(createHash('sha256')),
    () => there(async () => (await import('node:crypto')).createHash('sha256').digest().length),
  ],
  'an AbortController': [
    () => attempt(new AbortController()),
    async () => {
      const waits = () =>
        new Promise((resolve) => currentTask().signal.addEventListener('abort', () => resolve('stopped')));
      const call = pool.apply(waits, [], { signal: signalled.signal });
      setImmediate(() => signalled.abort());
      return call.catch((error) => error.name);
    },
  ],
  'a Blob': [
    () => attempt(new Blob(['x'])),
    async () => decoded(new Uint8Array(await new Blob(['x']).arrayBuffer())).length,
  ],
  'a Request': [
    () => attempt(new Request('http://localhost/')),
    () => {
      const { url, method, headers } = new Request('http://localhost/', { headers: { a: 'b' } });
      return there(
        (...given) => new Request(given[0], { method: given[1], headers: given[2] }).headers.get('a'),
        url,
        method,
        headers,
      );
    },
  ],
  'a Response': [
    () => attempt(new Response('abc')),
    async () => {
      const response = new Response('abc');
      const body = new Uint8Array(await response.arrayBuffer());
      return there(
        (status, headers, bytes) => [status, headers.get('content-type') !== null, bytes.length],
        response.status,
        response.headers,
        body,
      );
    },
  ],
  'a FormData': [
    () => attempt(new FormData()),
    () => {
      const form = new FormData();
      form.append('a', 'b');
      return decoded([...form]);
    },
  ],
  'a stream': [
    () => attempt(Readable.from([1])),
    () => there(async () => (await (await import('node:stream')).Readable.from([1, 2]).toArray()).length),
  ],
  'a subclass of a platform class': [() => attempt(new Lines()), () => there((it) => it.lines, new RegisteredLines())],
  'a typed array whose prototype has no class': [
    () => attempt(Object.setPrototypeOf(new Uint8Array(2), Object.create(Uint8Array.prototype))),
    () => there((bits) => bits.length, new Bits(2)),
  ],
  'an ArrayBuffer that was transferred': [
    () => {
      const buffer = new ArrayBuffer(8);
      structuredClone(buffer, { transfer: [buffer] });
      return attempt(buffer);
    },
    () => {
      const buffer = new ArrayBuffer(8);
      structuredClone(buffer.slice(0), { transfer: [] });
      return decoded(buffer).byteLength;
    },
  ],
  '#private fields, registered': [() => attempt(new Money(1)), () => there((money) => money.cents, new Registered(5))],
  '#private fields, with a method': [() => attempt(new Money(1)), () => there((money) => money.cents, new Reduces(6))],
  '#private fields, made inside': [
    () => {
      const money = new Money(1);
      return attempt(() => money.cents);
    },
    () => there(() => new Money(7).cents),
  ],
  'a value that is rebuilt from itself': [
    () => {
      const node = new Node();
      node.children.push({ parent: node });
      return attempt(node);
    },
    () => {
      const node = new NodeRepaired();
      node.children.push({ parent: node });
      return there((it) => it.children[0].parent === it, node);
    },
  ],
  'a reducer that gives something else': [
    () => attempt(new Wrong()),
    () => there((it) => it.constructor.name, new Right()),
  ],
  'a Pool': [
    () => attempt(() => pool.apply(() => 1)),
    async () => (await pool.apply(() => 20)) + (await there((x) => x + 1, await pool.apply(() => 21))),
  ],
  'an AsyncResult': [
    () => {
      const result = pool.applyAsync(() => 1);
      return attempt(() => result.get());
    },
    async () => {
      const result = pool.applyAsync(() => 1);
      return there((x) => x + 1, await result.get());
    },
  ],
  'a stream of results': [
    () => {
      const stream = pool.imap((x) => x, [1]);
      return attempt(() => stream.toArray());
    },
    async () => {
      const stream = pool.imap((x) => x, [1, 2]);
      return there((items) => items.length, await stream.toArray());
    },
  ],
  'a Listener': [
    () => using_(Listener.listen({}), (listener) => attempt(() => listener.accept())),
    () =>
      using_(Listener.listen({}), async (listener) => {
        const [connection, sent] = await Promise.all([
          listener.accept(),
          there(async (address) => {
            const client = await Client(address);
            await client.send('hello');
            client.close();
            return 'sent';
          }, listener.address),
        ]);
        const text = await connection.recv();
        connection.close();
        return [text, sent];
      }),
  ],
  'a Subject with subscribers': [
    () => {
      const subject = new Subject();
      subject.subscribe(() => {});
      return attempt((x) => subject.next(x));
    },
    async () => {
      const topic = new Topic();
      const got = firstValueFrom(topic);
      await there((x) => topic.next(x), 'told');
      const text = await got;
      topic.close();
      return text;
    },
  ],
  'a socket that is not connected': [
    () => attempt(new net.Socket()),
    async () => {
      const server = net.createServer({ pauseOnConnect: false }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const received = new Promise((resolve) =>
        server.once('connection', (socket) => socket.on('data', (data) => resolve(String(data)))),
      );
      const socket = net.connect(server.address().port, '127.0.0.1');
      await once(socket, 'connect');
      await there((theirs) => void theirs.end('from there'), socket);
      const text = await received;
      socket.destroy();
      server.close();
      return text;
    },
  ],
};
async function using_(made, body) {
  const resource = await made;
  try {
    return await body(resource);
  } finally {
    await resource.close();
  }
}

const results = {};
for (const [title, [provoke, repair]] of Object.entries(cases)) {
  if (process.argv[2] !== undefined && title !== process.argv[2]) continue;
  const refused = await provoke();
  let result;
  try {
    result = await repair();
  } catch (error) {
    result = String(error.stack);
  }
  results[title] = { ...refused, result };
}
await pool.terminate();
fs.writeFileSync(process.env.MP_RESULT, JSON.stringify(results));
