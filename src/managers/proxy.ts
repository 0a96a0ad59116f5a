import { inspect } from 'node:util';
import { ArgumentError } from '../errors/index.js';
import { ATTACH, registerShareable } from '../memory/index.js';
import type { TaskStream } from '../streams/index.js';
import { describe } from '../util/options.js';
import { entry } from '../util/package.js';
import { printedAsShown } from '../util/printed.js';
import { checkWaitOptions } from '../util/wait-options.js';
import { type Address, showAddressOf } from './address.js';
import { type RemoteCall, refused, streamOfCalls } from './client/remote-call.js';
import { localServers } from './local-servers.js';
import { badFrame, released } from './messages.js';
import type { CallOptions, Grant, Link, ProxyHandle } from './proxies.js';
import { definedType, type ProxyType } from './registry.js';
import { isShape, keyOfShape, type Shape } from './shape.js';
import { Ask } from './wire/frames.js';

/** Names an object of a server. Python: `multiprocessing.managers.Token`. */
export interface Token {
  /** The name of its type. */
  readonly typeid: string;
  /** Where its server is. */
  readonly address: Address;
  /** The object's number in the server. */
  readonly id: number;
}

const links = new WeakMap<object, Link>();
/** What the next proxy is made of: only the library makes them. */
let making: Link | undefined;

const collected = new FinalizationRegistry<Link>((link) => {
  if (!link.closed) link.channel.release(link);
});

/**
 * Stands for an object in a manager's server.
 *
 * Semantics: it has the exposed methods of the object, each of which returns a promise, and its
 * exposed properties, which are promises. Calls of one proxy begin in their order; many may be
 * under way. Arguments and results are copies, save for proxies, which arrive as proxies of the
 * same object, functions, which are called back where they live, and streams. An error that the
 * object throws is thrown here: its class, fields and cause, with the server's stack above the
 * caller's.
 *
 * The object lives while anybody has a proxy of it; a proxy that is not used any more is collected,
 * or disposed of at once.
 *
 * Shareable: sent to another process it arrives as a proxy of the same object, which connects by
 * that process's key.
 *
 * Cancellation: a plain object as the last argument may have a `signal`, which reaches the method;
 * {@link callMethod} takes `timeout` too.
 *
 * Python: `multiprocessing.managers.BaseProxy`. A subclass may be given as `proxyType`.
 * @example
 * import { manager } from 'multiprocess';
 * import { BaseProxy } from 'multiprocess/managers';
 *
 * await using m = await manager();
 * const stock = await m.dict({ apples: 3 });
 * console.log(stock instanceof BaseProxy, await stock.getValue()); // true Map(1) { 'apples' => 3 }
 * console.log(await stock.callMethod('get', ['apples'], { timeout: 5_000 })); // 3
 */
export class BaseProxy<T = unknown> implements Disposable {
  /** @internal Made by managers, never by users. */
  // biome-ignore lint/suspicious/noExplicitAny: subclasses pass on whatever they are given
  constructor(..._made: any[]) {
    if (making === undefined)
      throw new ArgumentError('BaseProxy: proxies are made by managers; call the creation method of one.');
    links.set(this, making);
    making = undefined;
  }

  /**
   * Calls a method by its name.
   *
   * @param args its arguments.
   * @param options `timeout` in ms, and `signal`: cancels the call in the server.
   * @throws (as rejection) what the method throws; RemoteError `MP_NOT_EXPOSED`, `MP_NO_OBJECT`;
   * TimeoutError; `signal.reason`; ConnectionError `MP_MANAGER_LOST`; SerializationError;
   * ClosedError when it was disposed of.
   */
  // biome-ignore lint/suspicious/noExplicitAny: what the method returns
  callMethod<R = any>(name: string, args: readonly unknown[] = [], options?: CallOptions): RemoteCall<R> {
    try {
      checkWaitOptions('callMethod', options);
      if (typeof name !== 'string')
        throw new ArgumentError(`callMethod: the name of the method must be a string, not ${describe(name)}.`);
      if (!Array.isArray(args))
        throw new ArgumentError(`callMethod: the arguments must be an array, not ${describe(args)}.`);
      const link = openLink(this);
      return link.channel.call(link, memberOf(link.shape, name) ?? name, args, options) as RemoteCall<R>;
    } catch (error) {
      return refused(error) as RemoteCall<R>;
    }
  }

  /**
   * The stream that a method returns, without waiting for it.
   *
   * Semantics: cold; each subscription and each reading is a call of its own.
   *
   * @throws (when it is read) as {@link callMethod}; RemoteError `MP_NO_STREAM` when the method
   * returns something else.
   */
  // biome-ignore lint/suspicious/noExplicitAny: what the method returns
  callStream<I = any>(name: string, args: readonly unknown[] = []): TaskStream<I> {
    return streamOfCalls<I>(() => this.callMethod(name, args));
  }

  /** Returns a copy of the object. @throws (as rejection) as {@link callMethod}. */
  getValue(): Promise<T> {
    const link = links.get(this)!;
    return (link.closed ? refused(released()) : link.channel.ask(link, Ask.value)) as Promise<T>;
  }

  /** @internal */
  static [ATTACH](handle: ProxyHandle, [type]: readonly unknown[]): BaseProxy {
    const { server, object, shape, session, grant } = handle;
    if (
      typeof server !== 'string' ||
      !Number.isInteger(object) ||
      !isShape(shape) ||
      !Number.isInteger(session) ||
      !isGrant(grant)
    ) {
      throw badFrame('a proxy without a handle');
    }
    const here = localServers.get(server);
    // What a server here has counted for a client is for the client, which may be in this thread
    // too.
    if (here !== undefined && session <= 0) {
      if (session === 0) here.claimed(grant[0], grant[1]);
      return here.proxyHere(object) as BaseProxy;
    }
    return attach!(handle, typeof type === 'function' ? (type as ProxyType) : undefined) as BaseProxy;
  }

  /**
   * Gives the reference up: the object is freed when nobody else refers to it. Calls from here on
   * are errors.
   */
  [Symbol.dispose](): void {
    const link = links.get(this)!;
    if (link.closed) return;
    link.closed = true;
    collected.unregister(this);
    link.channel.release(link);
  }

  /** @internal Returns what it stands for; the object's own text is `textOf(proxy)`. */
  [inspect.custom](): string {
    const { typeid, address, id } = tokenOf(this);
    return `<${typeid} proxy of object ${id} at ${showAddressOf(address)}>`;
  }
}
printedAsShown(BaseProxy);

/**
 * Returns what names a proxy's object. @throws ArgumentError for what is no proxy.
 * @example
 * import { manager } from 'multiprocess';
 * import { tokenOf } from 'multiprocess/managers';
 *
 * await using m = await manager();
 * const stock = await m.dict({ apples: 3 });
 * const shelf = await m.dict({ stock });
 * const same = (await shelf.get('stock'))!;
 * console.log(tokenOf(stock).typeid, tokenOf(same).id === tokenOf(stock).id); // dict true
 */
export function tokenOf(proxy: object): Token {
  const link = links.get(proxy);
  if (link === undefined) throw new ArgumentError(`tokenOf: needs a proxy, not ${describe(proxy)}.`);
  return { typeid: link.shape.typeid, address: link.channel.address, id: link.object };
}

/**
 * Returns the text of a proxy's object, made in the server: that of its `toString`, or, where it has
 * none of its own, what `util.inspect` shows. Python: `str(proxy)`.
 * @example
 * import { manager } from 'multiprocess';
 * import { textOf, tokenOf } from 'multiprocess/managers';
 *
 * await using m = await manager();
 * const count = await m.Value('i', 3);
 * console.log(tokenOf(count).typeid, await textOf(count)); // Value Value('i', 3)
 * console.log(await textOf(await m.dict({ a: 1 }))); // Map(1) { 'a' => 1 }
 */
export function textOf(proxy: object): Promise<string> {
  const link = links.get(proxy);
  if (link === undefined) throw new ArgumentError(`textOf: needs a proxy, not ${describe(proxy)}.`);
  return (link.closed ? refused(released()) : link.channel.ask(link, Ask.text)) as Promise<string>;
}

/**
 * Returns the object that a proxy inside its own server stands for; `undefined` for any other
 * value. For referents that are given other ones.
 * @example
 * import { BaseManager, referentOf } from 'multiprocess/managers';
 *
 * class Account {
 *   sum = 0;
 * }
 * class Bank {
 *   pay(account: object, amount: number) {
 *     (referentOf(account) as Account).sum += amount; // the client passed a proxy
 *   }
 * }
 * class Banks extends BaseManager.with({ Account, Bank }) {}
 *
 * await using banks = new Banks();
 * await banks.start();
 * const [account, bank] = [await banks.Account(), await banks.Bank()];
 * await bank.pay(account, 5);
 * console.log(await account.sum); // 5
 */
export function referentOf(value: unknown): unknown {
  const link =
    typeof value === 'object' && value !== null
      ? (links.get(value) as { referent?: { object: unknown } } | undefined)
      : undefined;
  return link?.referent?.object;
}

/** Returns what is known of a proxy; `undefined` for any other value. */
export function linkOf(value: object): Link | undefined {
  return links.get(value);
}

function openLink(proxy: object): Link {
  const link = links.get(proxy)!;
  if (link.closed) throw released();
  return link;
}

// ---- classes of proxies

type ProxyClass = new () => object;
const classes = new Map<string, ProxyClass>();
const classesOf = new WeakMap<ProxyType, Map<string, ProxyClass>>();
const places = new WeakMap<Shape, Map<string, number>>();

/** Returns the place of a method; `undefined` where the shape has none of the name. */
function memberOf(shape: Shape, name: string): number | undefined {
  let byName = places.get(shape);
  if (byName === undefined) {
    byName = new Map();
    for (const [place, { name: each, kind }] of shape.members.entries()) if (kind === 'method') byName.set(each, place);
    places.set(shape, byName);
  }
  return byName.get(name);
}

/** Returns the class of the proxies of a shape. */
function classOf(shape: Shape, type: ProxyType | undefined): ProxyClass {
  let of = classes;
  if (type !== undefined) {
    const known = classesOf.get(type) ?? new Map<string, ProxyClass>();
    classesOf.set(type, known);
    of = known;
  }
  const key = keyOfShape(shape);
  let made = of.get(key);
  if (made === undefined) {
    made = makeClass(shape, (type ?? BaseProxy) as ProxyClass);
    of.set(key, made);
  }
  return made;
}

function makeClass({ typeid, members }: Shape, base: ProxyClass): ProxyClass {
  const made = class extends base {};
  Object.defineProperty(made, 'name', { value: base === BaseProxy ? `${typeid}Proxy` : base.name });
  const define = (name: string, descriptor: PropertyDescriptor) =>
    Object.defineProperty(made.prototype, name, { ...descriptor, enumerable: false, configurable: true });
  members.forEach(({ name, kind }, place) => {
    if (definesItself(base, name)) return;
    if (kind === 'property') {
      define(name, {
        get(this: object) {
          const link = links.get(this)!;
          return link.closed ? refused(released()) : link.channel.read(link, place);
        },
      });
      return;
    }
    // A computed key gives it its name.
    const { [name]: method } = {
      [name](this: object, ...args: unknown[]) {
        const link = links.get(this)!;
        return link.closed ? refused(released()) : link.channel.call(link, place, args, undefined);
      },
    };
    define(name, { value: method, writable: true });
  });
  return made;
}

/** Returns whether a class defines a name, rather than Object. */
function definesItself(base: ProxyClass, name: string): boolean {
  for (let at: unknown = base.prototype; at !== Object.prototype && at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at as object, name)) return true;
  }
  return false;
}

/** Makes the proxy of a link. */
function makeProxy(link: Link, type: ProxyType | undefined): object {
  const made = classOf(link.shape, type ?? definedType(link.shape.typeid)?.proxyType);
  making = link;
  let proxy: object;
  try {
    proxy = new made();
  } finally {
    making = undefined;
  }
  // A class whose constructor returns something else, such as a JavaScript Proxy, stands for it all
  // the same.
  if (!links.has(proxy)) links.set(proxy, link);
  return proxy;
}

/** Makes a proxy whose link is released when it is collected. */
export function remoteProxy(link: Link, type: ProxyType | undefined): object {
  const proxy = makeProxy(link, type);
  collected.register(proxy, link, proxy);
  return proxy;
}

/** Returns a proxy inside the server, of one of its own objects: it keeps that. */
export function localProxy(link: Link): object {
  return makeProxy(link, undefined);
}

// ---- travelling

function isGrant(grant: unknown): grant is Grant {
  return Array.isArray(grant) && Number.isInteger(grant[0]) && Number.isInteger(grant[1]);
}

/** Gives the proxy of a handle that came from elsewhere; set by client/channels.ts. */
let attach: ((handle: ProxyHandle, type: ProxyType | undefined) => object) | undefined;

export function setAttach(attaching: typeof attach): void {
  attach = attaching;
}

registerShareable<BaseProxy, ProxyHandle>('manager-proxy', {
  module: entry('managers/index'),
  class: BaseProxy,
  toHandle: (proxy) => {
    const link = links.get(proxy)!;
    return link.channel.handleOf(link);
  },
  closed: (proxy) => links.get(proxy)!.closed,
  // The class of a proxy goes along, unless the receiver has it with the type.
  parts: (proxy) => {
    const { shape } = links.get(proxy)!;
    const own = Object.getPrototypeOf(Object.getPrototypeOf(proxy)) as { constructor: ProxyType };
    return own.constructor === BaseProxy || shape.module !== null ? [] : [own.constructor];
  },
  identity: ({ server, object }) => `${server}/${object}`,
  again: (handle) => {
    const here = localServers.get(handle.server);
    if (here === undefined || handle.session > 0) attach!(handle, undefined);
    else if (handle.session === 0) here.claimed(handle.grant[0], handle.grant[1]);
  },
});
