/**
 * Ready reducers for platform classes that are fully described by plain data: URL, URLSearchParams,
 * TextEncoder, TextDecoder, Intl.*, Headers, MIMEType, Temporal.*, keys and certificates of
 * node:crypto, and an AbortSignal that is aborted already.
 */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import { types } from 'node:util';
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { isRecordName, reduceRecord } from './records.js';

const require = createRequire(import.meta.url);

interface PlatformClass {
  readonly tag: string;
  readonly prototype: object;
  /** The value as plain data. */
  describe(value: never): unknown;
  /** The value from that data, which comes from the peer; may throw. */
  make(data: never): unknown;
}

const intlNames =
  'Collator DateTimeFormat DisplayNames DurationFormat ListFormat NumberFormat PluralRules RelativeTimeFormat Segmenter'.split(
    ' ',
  );
const intl = Intl as unknown as Record<string, (new (locale: unknown, options: unknown) => object) | undefined>;

const classes: readonly PlatformClass[] = [
  { tag: 'URL', prototype: URL.prototype, describe: (value: URL) => value.href, make: (data: string) => new URL(data) },
  {
    tag: 'URLSearchParams',
    prototype: URLSearchParams.prototype,
    describe: (value: URLSearchParams) => value.toString(),
    make: (data: string) => new URLSearchParams(data),
  },
  { tag: 'TextEncoder', prototype: TextEncoder.prototype, describe: () => null, make: () => new TextEncoder() },
  {
    tag: 'TextDecoder',
    prototype: TextDecoder.prototype,
    describe: (value: InstanceType<typeof TextDecoder>) => ({
      encoding: value.encoding,
      fatal: value.fatal,
      ignoreBOM: value.ignoreBOM,
    }),
    make: (data: { encoding: string; fatal: boolean; ignoreBOM: boolean }) => new TextDecoder(data.encoding, data),
  },
  {
    tag: 'Intl.Locale',
    prototype: Intl.Locale.prototype,
    describe: (value: Intl.Locale) => value.toString(),
    make: (data: string) => new Intl.Locale(data),
  },
  ...intlNames.flatMap((name): PlatformClass[] => {
    const type = intl[name];
    if (type === undefined) return [];
    return [
      {
        tag: `Intl.${name}`,
        prototype: type.prototype as object,
        describe: (value: { resolvedOptions(): object }) => known(value.resolvedOptions()),
        make: (data: { locale: string }) => new type(data.locale, data),
      },
    ];
  }),
];
const byPrototype = new Map(classes.map((entry) => [entry.prototype, entry]));

interface LazyClass extends Omit<PlatformClass, 'prototype'> {
  /** The module that exports it, if it is no global. */
  readonly module?: string;
}

const crypto = (): typeof import('node:crypto') => require('node:crypto') as typeof import('node:crypto');

/**
 * Classes that Node loads at their first use: looked up by name, so that looking does not load
 * them.
 */
const lazy: readonly LazyClass[] = [
  {
    tag: 'Headers',
    describe: (value: Headers) => Array.from(value, ([name, text]) => [name, text]),
    make: (data: [string, string][]) => new Headers(data),
  },
  {
    tag: 'MIMEType',
    module: 'node:util',
    describe: (value: object) => String(value),
    make: (data: string) => {
      const { MIMEType } = require('node:util') as typeof import('node:util');
      return new MIMEType(data);
    },
  },
  {
    tag: 'X509Certificate',
    module: 'node:crypto',
    describe: (value: X509Certificate) => value.raw,
    make: (data: Buffer) => {
      const { X509Certificate: Certificate } = crypto();
      return new Certificate(data);
    },
  },
  ...'Instant PlainDate PlainDateTime PlainMonthDay PlainTime PlainYearMonth ZonedDateTime Duration'
    .split(' ')
    .map((name) => ({
      tag: `Temporal.${name}`,
      describe: (value: object) => String(value),
      make: (data: string) => (globalOf(`Temporal.${name}`) as unknown as { from(text: string): unknown }).from(data),
    })),
];
const byName = new Map(lazy.map((entry) => [entry.tag.replace(/^.*\./, ''), entry]));

/** Classes of which not every instance goes. */
const SPECIAL = /^AbortSignal$|KeyObject$/;
/** Prototypes of other classes. */
const others = new WeakSet<object>();

/** Reduces an instance of one of these classes; `undefined` for any other. */
export function reducePlatform(value: object): Reduction | undefined {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } };
  if (others.has(prototype)) return undefined;
  const entry = entryOf(prototype);
  if (entry === undefined) {
    const name = String(prototype.constructor?.name);
    if (!SPECIAL.test(name) && !isRecordName(name)) {
      others.add(prototype);
      return undefined;
    }
    if (name.endsWith('KeyObject') && types.isKeyObject(value)) return reduceKey(value);
    if (name === 'AbortSignal' && isGlobal(name, prototype) && (value as AbortSignal).aborted) {
      return {
        kind: abortedKind.tag,
        data: undefined,
        children: [(value as AbortSignal).reason],
        label: () => '.reason',
      };
    }
    return reduceRecord(value, name);
  }
  return { kind: entry.tag, data: entry.describe(value as never), children: [], label: () => '' };
}

/** How an instance of the class with that prototype is made anew, if it is one of these. */
export function platformContent(prototype: object): ((value: object) => object | undefined) | undefined {
  const entry = entryOf(prototype);
  if (entry === undefined) return undefined;
  return (value) => {
    let data: unknown;
    try {
      data = entry.describe(value as never);
    } catch {
      // It only inherits from the class.
      return undefined;
    }
    return entry.make(data as never) as object;
  };
}

function entryOf(prototype: { constructor?: { name?: unknown } }): Omit<PlatformClass, 'prototype'> | undefined {
  const entry = byPrototype.get(prototype);
  if (entry !== undefined) return entry;
  const lazily = byName.get(String(prototype.constructor?.name));
  return lazily !== undefined && isItsPrototype(lazily, prototype) ? lazily : undefined;
}

function isItsPrototype({ tag, module }: LazyClass, prototype: object): boolean {
  if (module === undefined) return isGlobal(tag, prototype);
  return (
    ((require(module) as Record<string, { prototype?: object } | undefined>)[tag]?.prototype ?? null) === prototype
  );
}

// ---- keys

interface KeyData {
  readonly type: 'secret' | 'public' | 'private';
  readonly bytes: Uint8Array;
}

/** A key travels as its bytes: whoever reads the message has it. */
function reduceKey(value: KeyObject): Reduction {
  const { type } = value;
  const bytes =
    type === 'secret' ? value.export() : value.export({ format: 'der', type: type === 'public' ? 'spki' : 'pkcs8' });
  return { kind: keyKind.tag, data: { type, bytes }, children: [], label: () => '' };
}

const keyKind: NodeKind = {
  tag: 'KeyObject',
  shell: false,
  build(data) {
    const { type, bytes } = (data ?? {}) as Partial<KeyData>;
    if (!(bytes instanceof Uint8Array)) throw badPayload('a key has no bytes');
    const key = Buffer.from(bytes);
    try {
      if (type === 'secret') return { value: crypto().createSecretKey(key) };
      if (type === 'public') return { value: crypto().createPublicKey({ key, format: 'der', type: 'spki' }) };
      return { value: crypto().createPrivateKey({ key, format: 'der', type: 'pkcs8' }) };
    } catch (cause) {
      throw badPayload('a key does not parse', cause);
    }
  },
};

function globalOf(path: string): (Function & { prototype: unknown }) | undefined {
  let at: unknown = globalThis;
  for (const name of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[name];
  return typeof at === 'function' ? at : undefined;
}

function isGlobal(path: string, prototype: object): boolean {
  return globalOf(path)?.prototype === prototype;
}

/** `AbortSignal.abort(reason)`. */
const abortedKind: NodeKind = {
  tag: 'AbortSignal',
  shell: false,
  build: (_data, [reason]) => ({ value: AbortSignal.abort(reason) }),
};

/** Every kind of this file. */
export const platformKinds: readonly NodeKind[] = [abortedKind, keyKind, ...[...classes, ...lazy].map(kindOf)];

function kindOf({ tag, make }: Omit<PlatformClass, 'prototype'>): NodeKind {
  return {
    tag,
    shell: false,
    build(data) {
      try {
        return { value: make(data as never) };
      } catch (cause) {
        throw badPayload(`a ${tag} does not parse`, cause);
      }
    },
  };
}

/** The options that are set: `undefined` ones would be refused by some constructors. */
function known(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
