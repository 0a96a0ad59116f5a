/**
 * Reads a node table: one pass over the ops, in which every node is built from nodes before it.
 *
 * A message that needs modules is read twice: once without building, to learn which modules, and
 * again when they are loaded.
 */
import { MultiprocessError } from '../../errors/index.js';
import type { ModuleRequest } from '../../modules/module-request.js';
import { withEnclosed } from '../kinds/shareable.js';
import { HEADER, MARK, NEEDS_MODULES, VERSION } from '../message.js';
import { badPayload } from '../messages.js';
import type { Built, NodeKind } from '../node.js';
import type { CodeLookup } from './code-table.js';
import { kindOf } from './registry.js';
import { LATE, NodeRef, TokenReader } from './token-reader.js';
import { Op } from './tokens.js';

/** Where a message lies, and whether the value may view it. */
export interface Span {
  readonly source: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly owned: boolean;
  /** The code records of its sender. */
  readonly codes?: CodeLookup;
  readonly annex?: Annex;
}

/** What a message does not have in its own bytes. */
export interface Annex {
  /** The shareable objects of the value, in the order in which `encode` met them. */
  readonly shared: readonly object[];
  /** The next out-of-band buffer, for the value to keep. */
  nextBuffer(length: number): Uint8Array;
}

/** Whether the message names modules to be loaded before it is built. */
export function needsModules({ source, start, end }: Span): boolean {
  return end - start > 2 && (source[start + 2]! & NEEDS_MODULES) !== 0;
}

/** The modules and code records a message needs. @throws SerializationError `MP_BAD_PAYLOAD`. */
export function needsOf(span: Span): {
  readonly modules: ModuleRequest[];
  readonly codes: ReadonlyMap<number, unknown>;
} {
  return guard(() => {
    const reader = new TableReader(span, true);
    reader.run();
    return { modules: reader.requests, codes: reader.codes };
  });
}

/**
 * Tags of the node kinds that a whole message has, without building anything; empty for plain data.
 * What rebuilding would do can be decided by them.
 * @throws SerializationError `MP_BAD_PAYLOAD`.
 */
export function kindsIn(source: Uint8Array): ReadonlySet<string> {
  if (source[0] !== MARK) return new Set();
  return guard(() => {
    const reader = new TableReader({ source, start: 0, end: source.length, owned: true }, true);
    reader.run();
    return reader.tags;
  });
}

/** Builds the value. @throws SerializationError `MP_BAD_PAYLOAD`, `MP_REBUILD`. */
export function readTable(span: Span): unknown {
  return guard(() => withEnclosed(span.annex?.shared ?? null, () => new TableReader(span, false).run()));
}

class TableReader {
  readonly requests: ModuleRequest[] = [];
  readonly #tokens: TokenReader;
  readonly #survey: boolean;
  readonly #kinds: NodeKind[] = [];
  readonly #nodes: Built[] = [];
  #late: number[] = [];

  constructor(span: Span, survey: boolean) {
    const { source, start, end } = span;
    if (end - start < HEADER) throw badPayload('it ends inside its header');
    if (source[start + 1] !== VERSION)
      throw badPayload(`its version is ${source[start + 1]}, this is version ${VERSION}`);
    if (source[start + 2]! > NEEDS_MODULES || source[start + 3] !== 0) throw badPayload('its header is odd');
    const length =
      source[start + 4]! + source[start + 5]! * 2 ** 8 + source[start + 6]! * 2 ** 16 + source[start + 7]! * 2 ** 24;
    if (length < HEADER || length > end - start) throw badPayload('its length is wrong');
    this.#survey = survey;
    this.#tokens = new TokenReader(
      source,
      start,
      start + HEADER,
      start + length,
      end,
      span.owned,
      survey,
      span.codes,
      span.annex,
    );
  }

  get codes(): ReadonlyMap<number, unknown> {
    return this.#tokens.codes;
  }

  /** Of the kinds that were met. */
  get tags(): ReadonlySet<string> {
    return new Set(this.#kinds.map(({ tag }) => tag));
  }

  run(): unknown {
    const tokens = this.#tokens;
    for (;;) {
      const op = tokens.byte();
      if (op === Op.create) this.#create();
      else if (op === Op.fill) this.#fill();
      else if (op === Op.build) this.#build();
      else if (op === Op.set) this.#set();
      else if (op === Op.plain)
        this.#nodes.push(this.#survey ? this.#pass() : { value: tokens.plain(tokens.uint32()) });
      else if (op === Op.end) break;
      else throw badPayload(`op ${op} is unknown`);
    }
    const value = this.#value(tokens.token());
    if (value === LATE || !tokens.complete) throw badPayload('it does not end where it should');
    return value;
  }

  #pass(): Built {
    this.#tokens.skip(this.#tokens.uint32());
    return nothing;
  }

  #create(): void {
    const kind = this.#kind();
    const data = this.#data();
    if (!kind.shell) throw badPayload(`a ${kind.tag} cannot be empty`);
    this.#add(kind, data, [], []);
  }

  #build(): void {
    const kind = this.#kind();
    const data = this.#data();
    if (kind.shell) throw badPayload(`a ${kind.tag} must be created empty`);
    const children = this.#children();
    this.#add(kind, data, children, this.#late);
  }

  #add(kind: NodeKind, data: unknown, children: unknown[], late: readonly number[]): void {
    if (this.#survey) {
      if (kind.modules !== undefined) this.requests.push(...kind.modules(data));
      this.#nodes.push(nothing);
    } else {
      this.#nodes.push(kind.build(data, children, late));
    }
  }

  #fill(): void {
    const node = this.#node(this.#tokens.varint());
    const children = this.#children();
    if (this.#survey) return;
    if (node.fill !== undefined) {
      node.fill(children, this.#late);
      return;
    }
    const late = new Set(this.#late);
    for (let i = 0; i < children.length; i++) if (!late.has(i)) this.#give(node, i, children[i]);
  }

  #set(): void {
    const node = this.#node(this.#tokens.varint());
    const index = this.#tokens.varint();
    const child = this.#node(this.#tokens.varint());
    if (!this.#survey) this.#give(node, index, child.value);
  }

  #give(node: Built, index: number, child: unknown): void {
    if (node.set === undefined) throw badPayload('a finished node is changed');
    node.set(index, child);
  }

  #children(): unknown[] {
    const count = this.#tokens.count(1);
    const children: unknown[] = [];
    this.#late = [];
    for (let i = 0; i < count; i++) {
      const child = this.#value(this.#tokens.token());
      if (child === LATE) {
        this.#late.push(i);
        children.push(undefined);
      } else children.push(child);
    }
    return children;
  }

  #kind(): NodeKind {
    const token = this.#tokens.token();
    if (token instanceof NodeRef) {
      const known = this.#kinds[token.number];
      if (known === undefined) throw badPayload('a kind is named that never came');
      return known;
    }
    const kind = typeof token === 'string' ? kindOf(token) : undefined;
    if (kind === undefined) throw badPayload(`node kind ${JSON.stringify(String(token)).slice(0, 40)} is unknown here`);
    this.#kinds.push(kind);
    return kind;
  }

  #data(): unknown {
    const token = this.#tokens.token();
    if (token === LATE || token instanceof NodeRef) throw badPayload('data refers to a node');
    return token;
  }

  #value(token: unknown): unknown {
    if (token instanceof NodeRef) return this.#node(token.number).value;
    return token;
  }

  #node(number: number): Built {
    const node = this.#nodes[number];
    if (node === undefined) throw badPayload('a node is named that never came');
    return node;
  }
}

const nothing: Built = { value: undefined };

/** Whatever goes wrong while reading is the payload's fault, unless it says otherwise. */
function guard<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MultiprocessError) throw error;
    throw badPayload(error instanceof Error ? error.message : String(error), error);
  }
}
