/**
 * The bytes of the node table.
 *
 * Ops:    CREATE kind data          makes the next node, empty
 *         FILL node count tokens    gives a created node its children
 *         BUILD kind data count tokens   makes the next node from its children; some may be late
 *         SET node index node       gives a node a child that was late
 *         PLAIN length bytes        makes the next node of plain data (u32, little endian)
 *         END token                 the value of the message
 * kind:   a string token at its first use, then 0xC1 and its number among the message's kinds
 * token:  a msgpack primitive, or one of the bytes below, which msgpack uses for containers
 * Strings of at most {@link INTERN} units are numbered as they come and named by number when they
 * come again.
 */
export const Op = { end: 0, create: 1, fill: 2, build: 3, set: 4, plain: 5 } as const;

export const Token = {
  /** A built or created node: varint number. */
  ref: 0xc1,
  /** A child that comes by SET. */
  late: 0x90,
  /** A string seen before: varint number. */
  interned: 0x92,
  /**
   * A string that UTF-8 does not carry (plain/primitives.ts): varint length in bytes, UTF-16 little
   * endian.
   */
  utf16: 0x93,
  /** A bigint beyond 64 bits: sign byte (1 negative), varint length, magnitude big endian. */
  bigint: 0x94,
  /** `Symbol.for(token)`. */
  registered: 0x95,
  /** `Symbol[token]`. */
  wellKnown: 0x96,
  /** Plain data as in a plain message: varint length, bytes. */
  plain: 0x97,
  /** Bytes in the body: varint length, bytes. */
  bytes: 0x98,
  /** Bytes in the next out-of-band buffer, seen by one view alone: varint length. */
  outOfBand: 0x99,
  /** The same, but several views share it, so it is always copied. */
  outOfBandShared: 0x9a,
  /** Data that a code record holds: varint number of the record. */
  code: 0x9b,
} as const;

/** Longest string, in UTF-16 units, that is numbered. */
export const INTERN = 64;

/** Names of the well-known symbols, which have no registry key. */
export const wellKnownSymbols: ReadonlyMap<symbol, string> = new Map(
  Object.getOwnPropertyNames(Symbol).flatMap((name): [symbol, string][] => {
    const value: unknown = (Symbol as unknown as Record<string, unknown>)[name];
    return typeof value === 'symbol' ? [[value, name]] : [];
  }),
);
