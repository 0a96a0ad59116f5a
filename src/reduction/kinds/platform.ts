/** Ready reducers for platform classes that are fully described by a few strings: URL, URLSearchParams, TextEncoder, TextDecoder, Intl.*. */
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

/** Reduces an instance of one of these classes; `undefined` for any other. */
export function reducePlatform(value: object): Reduction | undefined {
  const entry = byPrototype.get(Object.getPrototypeOf(value) as object);
  return entry === undefined ? undefined : { kind: entry.tag, data: entry.describe(value as never), children: [], label: () => '' };
}

/** Every kind of this file. */
export const platformKinds: readonly NodeKind[] = classes.map(({ tag, make }) => ({
  tag,
  shell: false,
  build(data) {
    try {
      return { value: make(data as never) };
    } catch (cause) {
      throw badPayload(`a ${tag} does not parse`, cause);
    }
  },
}));

/** The options that are set: `undefined` ones would be refused by some constructors. */
function known(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
