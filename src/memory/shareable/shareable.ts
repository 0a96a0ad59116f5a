/**
 * Shareable objects: what arrives in another process as the same shared thing, not as a copy.
 *
 * A module registers its class with how an object becomes a handle (plain data); the class says by
 * its static method {@link ATTACH} how a handle becomes an object. The codec sends the handle with
 * the module's URL; a process that does not know the type loads the module first.
 *
 * Attaching is apart from the options of users: what ATTACH attaches to (a block, the core of a
 * queue) is of a class that users cannot make, and the constructor takes an instance of it in place
 * of its options.
 *
 * Identity: in one thread a shared object is one JavaScript object, however often and from wherever
 * it arrives, as long as somebody there holds it and has not closed it. The cache is weak.
 *
 * Other installed copies of the package in a process count as this one if they are of the same
 * version: a class carries its entry under a registered symbol, and the cache is kept on
 * globalThis. What another copy's object becomes elsewhere is of the copy that sent it.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ArgumentError, ClosedError } from '../../errors/index.js';
import { CODE } from '../../util/package.js';
import type { BlockHandle } from '../regions/arena.js';
import { blockIdentity } from '../regions/transit.js';

/**
 * What {@link ShareableEntry.toHandle} returns: plain data. `block`, where there is one, is also
 * the object's identity.
 */
export type ShareableHandle = object & { readonly block?: BlockHandle };

/** Name of the static method of a shareable class that makes an object from a handle. */
export const ATTACH: unique symbol = Symbol('multiprocess.attach');

/**
 * A class whose objects can be made from handles. Instances of subclasses arrive as instances of
 * this class.
 */
interface ShareableClass<T extends object, H extends ShareableHandle = ShareableHandle> {
  readonly prototype: T;
  /** Attaches. @param parts as {@link ShareableEntry.parts} gave them, arrived. */
  [ATTACH](handle: H, parts: readonly unknown[]): T;
}

/** A handle that is a block and nothing else. */
export interface BlockOnly {
  readonly block: BlockHandle;
}

/** How objects of a class are shared. */
export interface ShareableEntry<T extends object, H extends ShareableHandle = ShareableHandle> {
  /** The module that registers the type when it is loaded. */
  readonly module: URL;
  readonly class: ShareableClass<T, H>;
  /**
   * Plain data from which the object is attached elsewhere. Called each time it is sent, for one
   * that is not closed.
   */
  toHandle(object: T): H;
  /**
   * Whether its use has ended in this thread. Such a one cannot be sent, and what arrives is
   * attached anew.
   */
  closed(object: T): boolean;
  /** How its use has ended, as messages call that. Default: closed. */
  ended?(object: T): string;
  /**
   * Further values that travel with it, such as another shareable object it uses. Must not lead
   * back to the object. Default: none.
   */
  parts?(object: T): readonly unknown[];
  /** A handle arrived whose object is here already, so that nothing was attached. */
  again?(handle: H): void;
  /** What tells it from all other objects of the type; needed where the handle has no `block`. */
  identity?(handle: H): string;
}

/** A shareable object as it travels. Plain data. */
export interface SharedData {
  readonly type: string;
  readonly module: string;
  readonly handle: ShareableHandle;
}

type AnyEntry = ShareableEntry<object>;

interface Registered {
  readonly type: string;
  readonly entry: AnyEntry;
}

const byType = new Map<string, Registered>();
const byPrototype = new Map<object, Registered>();
/** What the prototype of a shareable class says of it to other copies of the package. */
interface Mark extends Registered {
  /** Folder of the copy's modules. */
  readonly root: string;
}

const MARK = Symbol.for('multiprocess.shareable');
/** Folder of this copy's modules. */
const ROOT = CODE.href;

const CACHE = Symbol.for('multiprocess.shared');
const scope = globalThis as { [CACHE]?: Map<string, WeakRef<object>> };
scope[CACHE] ??= new Map();
const objects = scope[CACHE];
const vanished = new FinalizationRegistry<string>((key) => {
  if (objects.get(key)?.deref() === undefined) objects.delete(key);
});

/**
 * Makes the objects of a class shareable.
 *
 * @param type Its name on the wire: unique in the package.
 * @throws ArgumentError when another class has the name.
 */
export function registerShareable<T extends object, H extends ShareableHandle>(
  type: string,
  entry: ShareableEntry<T, H>,
): void {
  const known = byType.get(type);
  if (known !== undefined && known.entry.class !== entry.class) {
    throw new ArgumentError(
      `registerShareable: the type \`${type}\` belongs to another class; choose a name of your own.`,
    );
  }
  const registered: Registered = { type, entry: entry as unknown as AnyEntry };
  byType.set(type, registered);
  byPrototype.set(entry.class.prototype, registered);
  Object.defineProperty(entry.class.prototype, MARK, {
    value: { ...registered, root: ROOT } satisfies Mark,
    configurable: true,
  });
}

/**
 * Where the copy of the package is that an object is of, and its version; `undefined` for what is
 * not shareable, or of this copy.
 */
export function otherCopyOf(value: object): { readonly folder: string; readonly version: string } | undefined {
  const mark = (value as { [MARK]?: Mark })[MARK];
  return mark === undefined || mark.root === ROOT
    ? undefined
    : { folder: fileURLToPath(new URL('../', mark.root)), version: versionOf(mark.root) };
}

const versions = new Map<string, string>();
const UNKNOWN = 'an unknown version';

/**
 * The version of the package whose modules stand in a folder. Read when an object of another copy
 * is met.
 */
export function versionOf(root: string = ROOT): string {
  let version = versions.get(root);
  if (version === undefined) {
    try {
      const { name, version: found } = createRequire(root)('../package.json') as { name?: unknown; version?: unknown };
      version = `${String(name)} ${String(found)}`;
    } catch {
      version = UNKNOWN;
    }
    versions.set(root, version);
  }
  return version;
}

/** Whether a value is shareable. */
export function isShareable(value: object): boolean {
  return find(value) !== undefined;
}

/** Whether objects of the type can be made here without loading anything. */
export function isRegistered(type: string): boolean {
  return byType.has(type);
}

/**
 * The data and the parts of a shareable object, `undefined` for any other value.
 * @throws ClosedError for a closed one.
 */
export function toShared(value: object): { data: SharedData; parts: readonly unknown[] } | undefined {
  const found = find(value);
  if (found === undefined) return undefined;
  const { type, entry } = found;
  if (entry.closed(value)) {
    const ended = entry.ended?.(value) ?? 'closed';
    throw new ClosedError(
      `${value.constructor.name}: it is ${ended} in this thread and cannot be sent; send it before it is ${ended}.`,
    );
  }
  const handle = entry.toHandle(value);
  const key = keyOf(found, handle);
  if (objects.get(key)?.deref() !== value) remember(key, value);
  return { data: { type, module: entry.module.href, handle }, parts: entry.parts?.(value) ?? [] };
}

/**
 * The object of the data: the one that is here already, or attached now.
 * @throws ArgumentError for an unknown type; what attaching throws.
 */
export function fromShared({ type, handle }: SharedData, parts: readonly unknown[]): object {
  const found = byType.get(type);
  if (found === undefined)
    throw new ArgumentError(
      `No shareable type \`${String(type)}\` is registered here; load the module that defines it.`,
    );
  const key = keyOf(found, handle);
  const here = objects.get(key)?.deref();
  if (here !== undefined && !found.entry.closed(here)) {
    found.entry.again?.(handle);
    return here;
  }
  const object = found.entry.class[ATTACH](handle, parts);
  remember(key, object);
  return object;
}

// ---- their memory

const owners = new WeakMap<ArrayBufferLike, object>();
const buffers = new WeakMap<object, ArrayBufferLike>();
let hasOwners = false;

/**
 * Says that a buffer is the memory of a shareable object: the buffer, and any view of it, is sent
 * as that memory and not as a copy of its bytes. The object lives as long as the buffer does.
 */
export function noteMemory(buffer: ArrayBufferLike, object: object): void {
  owners.set(buffer, object);
  buffers.set(object, buffer);
  hasOwners = true;
}

/** The shareable object whose memory the buffer is. */
export function ownerOfMemory(buffer: ArrayBufferLike): object | undefined {
  return hasOwners ? owners.get(buffer) : undefined;
}

/** The buffer that {@link noteMemory} was told of. */
export function memoryOf(object: object): ArrayBufferLike | undefined {
  return buffers.get(object);
}

function find(value: object): Registered | undefined {
  if ((value as { [MARK]?: Mark })[MARK] === undefined) return undefined;
  for (let at: unknown = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
    const found = byPrototype.get(at as object);
    if (found !== undefined) return found;
    const mark: unknown = Object.getOwnPropertyDescriptor(at, MARK)?.value;
    if (mark !== undefined) return adopt(mark as Mark);
  }
  return undefined;
}

/** The class of another copy of this version, as one of this copy. */
function adopt({ type, entry, root }: Mark): Registered | undefined {
  if (root === ROOT || versionOf(root) === UNKNOWN || versionOf(root) !== versionOf()) return undefined;
  const { prototype } = entry.class;
  const module = new URL(entry.module.href.replace(root, ROOT));
  const adopted = { type, entry: { ...entry, module } };
  byPrototype.set(prototype, adopted);
  return adopted;
}

function keyOf({ type, entry }: Registered, handle: ShareableHandle): string {
  if (entry.identity !== undefined) return `${type} ${entry.identity(handle)}`;
  if (handle.block === undefined)
    throw new ArgumentError(`Shareable \`${type}\`: a handle without \`block\` needs \`identity\`.`);
  return `${type} ${blockIdentity(handle.block)}`;
}

function remember(key: string, object: object): void {
  objects.set(key, new WeakRef(object));
  vanished.register(object, key);
}
