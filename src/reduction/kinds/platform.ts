/**
 * Ready reducers for platform classes that are fully described by plain data: URL, URLSearchParams, TextEncoder, TextDecoder,
 * Intl.*, Headers, Temporal.*, and an AbortSignal that is aborted already.
 */
import { badPayload } from '../failure.js';
import type { NodeKind, Reduction } from '../node.js';

interface PlatformClass {
  readonly tag: string;
  readonly prototype: object;
  /** The value as plain data. */
  describe(value: never): unknown;
  /** The value from that data, which comes from the peer; may throw. */
  make(data: never): unknown;
}

const intlNames = 'Collator DateTimeFormat DisplayNames ListFormat NumberFormat PluralRules RelativeTimeFormat Segmenter'.split(' ');
const intl = Intl as unknown as Record<string, new (locale: unknown, options: unknown) => object>;

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
    describe: (value: InstanceType<typeof TextDecoder>) => ({ encoding: value.encoding, fatal: value.fatal, ignoreBOM: value.ignoreBOM }),
    make: (data: { encoding: string; fatal: boolean; ignoreBOM: boolean }) => new TextDecoder(data.encoding, data),
  },
  {
    tag: 'Intl.Locale',
    prototype: Intl.Locale.prototype,
    describe: (value: Intl.Locale) => value.toString(),
    make: (data: string) => new Intl.Locale(data),
  },
  ...intlNames.map((name): PlatformClass => {
    const type = intl[name]!;
    return {
      tag: `Intl.${name}`,
      prototype: type.prototype as object,
      describe: (value: { resolvedOptions(): object }) => known(value.resolvedOptions()),
      make: (data: { locale: string }) => new type(data.locale, data),
    };
  }),
];
const byPrototype = new Map(classes.map((entry) => [entry.prototype, entry]));

/** Classes that Node loads at their first use: looked up by name, so that looking does not load them. */
const lazy: readonly Omit<PlatformClass, 'prototype'>[] = [
  {
    tag: 'Headers',
    describe: (value: Headers) => Array.from(value, ([name, text]) => [name, text]),
    make: (data: [string, string][]) => new Headers(data),
  },
  ...'Instant PlainDate PlainDateTime PlainMonthDay PlainTime PlainYearMonth ZonedDateTime Duration'.split(' ').map((name) => ({
    tag: `Temporal.${name}`,
    describe: (value: object) => String(value),
    make: (data: string) => (globalOf(`Temporal.${name}`) as unknown as { from(text: string): unknown }).from(data),
  })),
];
const byName = new Map(lazy.map((entry) => [entry.tag.replace(/^.*\./, ''), entry]));

/** Reduces an instance of one of these classes; `undefined` for any other. */
export function reducePlatform(value: object): Reduction | undefined {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } };
  let entry: Omit<PlatformClass, 'prototype'> | undefined = byPrototype.get(prototype);
  if (entry === undefined) {
    const name = String(prototype.constructor?.name);
    const candidate = byName.get(name);
    if (candidate !== undefined && isGlobal(candidate.tag, prototype)) entry = candidate;
    if (name === 'AbortSignal' && isGlobal(name, prototype) && (value as AbortSignal).aborted) {
      return { kind: abortedKind.tag, data: undefined, children: [(value as AbortSignal).reason], label: () => '.reason' };
    }
  }
  return entry === undefined ? undefined : { kind: entry.tag, data: entry.describe(value as never), children: [], label: () => '' };
}

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
export const platformKinds: readonly NodeKind[] = [abortedKind, ...[...classes, ...lazy].map(kindOf)];

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
