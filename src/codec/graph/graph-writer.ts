/**
 * Writes any value as a node table: walks it depth-first with a stack of its own, so that nesting
 * costs heap, not call stack, and keeps identity by numbering every object it meets.
 *
 * State of an object, in {@link State}:
 *   not met
 *   in progress, number < 0   of a whole kind, and its children are being written
 *   numbered                  created or built
 * A reference to an object in progress is late: it is noted there and written as SET once the
 * object has its number. The one who referred lies deeper in the walk, so it is complete by then.
 *
 * What is plain data from some object down goes as one node, in the plain form (plain-parts.ts).
 * Its inner objects have no numbers. If one of them turns out to be reached from elsewhere too, the
 * message is begun again, and what holds it goes object by object.
 */
import { types } from 'node:util';
import { SerializationError } from '../../errors/index.js';
import { enterMessage, leaveMessage, weakSizeOf } from '../function-port.js';
import { arrayKind } from '../kinds/arrays.js';
import { mapKind, setKind } from '../kinds/collections.js';
import { nullObjectKind, objectKind } from '../kinds/objects.js';
import { reducedKind } from '../kinds/reduced.js';
import { enclosingIn } from '../kinds/shareable.js';
import { isWeak, reduceEntries, refuseUnread, type Weak } from '../kinds/weak.js';
import { type CodeRecord, HEADER, MARK, NEEDS_MODULES, VERSION } from '../message.js';
import { located, Refused, refusal, type Step } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import type { Sink } from '../sink.js';
import { Classifier } from './classifier.js';
import type { CodeBook } from './code-book.js';
import { PlainParts, SharedPart } from './plain-parts.js';
import { kindOf } from './registry.js';
import { TokenWriter } from './token-writer.js';
import { Op, Token } from './tokens.js';

interface State {
  readonly reduction: Reduction;
  readonly kind: NodeKind;
  /** Node number, or -1 while in progress. */
  number: number;
  /** Who waits for this object: pairs of a state and the index of its child. */
  waiting: [State, number][] | undefined;
  /** Next child to visit. */
  next: number;
  /**
   * Met while this one was in progress, and built right after it, since they cannot be built
   * before.
   */
  after: State[] | undefined;
}

/**
 * What holds values without hiding them: arrays, plain objects, Maps, Sets, reduced values, tasks.
 */
const CONTAINERS = new Set([
  arrayKind.tag,
  objectKind.tag,
  nullObjectKind.tag,
  mapKind.tag,
  setKind.tag,
  reducedKind.tag,
  'task',
]);

export class TableWriter {
  stateless = true;
  constant = true;
  readonly #sink: Sink;
  readonly #tokens: TokenWriter;
  readonly #classifier = new Classifier();
  readonly #states = new Map<object, State>();
  readonly #kinds = new Map<string, number>();
  readonly #stack: State[] = [];
  readonly #parts: PlainParts;
  /** What was reduced before the message was begun again: some can be reduced only once. */
  #reduced: Map<object, Reduction> | undefined;
  /** The WeakMaps met so far. */
  #weak: Weak[] = [];
  #count = 0;
  #flags = 0;

  constructor(sink: Sink, book: CodeBook | null) {
    this.#sink = sink;
    this.#tokens = new TokenWriter(sink, book);
    this.#parts = new PlainParts(sink, (object) => this.#states.has(object));
  }

  /** The out-of-band parts of the last message. */
  get buffers(): readonly Uint8Array[] {
    return this.#tokens.buffers;
  }

  /** Lets go of the out-of-band parts. */
  forget(): void {
    this.#tokens.reset();
  }

  /** The code records that the last message names. */
  get codes(): readonly CodeRecord[] {
    return this.#tokens.codes;
  }

  /**
   * Writes a whole message.
   * @param enclosing Where shareable objects are put in place of their handles.
   * @throws SerializationError for what cannot be sent.
   */
  write(value: unknown, enclosing: object[] | null): void {
    enterMessage();
    const start = this.#sink.at;
    try {
      enclosingIn(enclosing, () => {
        while (!this.#attempt(value)) this.#sink.at = start;
      });
    } catch (error) {
      throw this.#located(error);
    } finally {
      this.#clear();
      this.#parts.reset();
      this.#reduced = undefined;
      leaveMessage();
    }
  }

  /** Returns `false` when the message must be begun again. */
  #attempt(value: unknown): boolean {
    try {
      this.#begin();
      this.#walk(value);
    } catch (error) {
      if (!(error instanceof SharedPart)) throw error;
      this.#parts.retry(error.object);
      this.#keepReductions();
      this.#clear();
      return false;
    }
    this.#sink.byte(Op.end);
    this.#token(value, undefined, 0);
    this.#finish();
    return true;
  }

  #clear(): void {
    this.#states.clear();
    this.#kinds.clear();
    this.#stack.length = 0;
    if (this.#weak.length > 0) this.#weak = [];
    this.#classifier.reset();
  }

  /** To reduce a connection again would offer it twice. */
  #keepReductions(): void {
    this.#reduced ??= new Map();
    for (const [object, { reduction }] of this.#states) {
      // How bytes are reduced depends on what was met before.
      if (reduction !== PLAIN && !ArrayBuffer.isView(object) && !types.isAnyArrayBuffer(object))
        this.#reduced.set(object, reduction);
    }
  }

  #begin(): void {
    this.#tokens.reset();
    this.#count = 0;
    this.#flags = 0;
    this.stateless = true;
    this.constant = true;
    this.#sink.need(HEADER);
    this.#sink.at += HEADER;
  }

  #finish(): void {
    const { bytes, view, at } = this.#sink;
    for (const buffer of this.#classifier.sharedBytes) {
      if (bytes[buffer] === Token.outOfBand) bytes[buffer] = Token.outOfBandShared;
    }
    bytes[0] = MARK;
    bytes[1] = VERSION;
    bytes[2] = this.#flags;
    bytes[3] = 0;
    view.setUint32(4, at, true);
  }

  #walk(root: unknown): void {
    if (isPrimitive(root)) return;
    // The encoder has tried it as a whole.
    this.#reduce(root as object);
    this.#run();
    if (this.#weak.length === 0) return;
    // Keys of a WeakMap have numbers.
    if (this.#parts.any) throw new SharedPart(null);
    this.#writeEntries();
  }

  /**
   * What WeakMaps hold of the objects of this message. A value may bring objects that are keys in
   * their turn, and more WeakMaps.
   */
  #writeEntries(): void {
    let keys = [...this.#states.keys()];
    const asked: number[] = [];
    const carried = new Set<Weak>();
    for (let open = true; open; ) {
      open = false;
      for (let i = 0; i < this.#weak.length; i++) {
        const from = asked[i] ?? 0;
        if (from === this.#states.size) continue;
        open = true;
        if (keys.length !== this.#states.size) keys = [...this.#states.keys()];
        asked[i] = keys.length;
        const entries = reduceEntries(this.#weak[i]!, keys.slice(from), this.#kindOf);
        if (entries !== null) {
          carried.add(this.#weak[i]!);
          this.#push(entries);
        }
        this.#run();
      }
    }
    for (const weak of this.#weak) if (!carried.has(weak)) this.#checkReaders(weak);
  }

  /**
   * Functions that do no more than read a WeakMap would find nothing in one of whose keys none
   * travels. A cache, which is filled as well, may arrive empty.
   */
  #checkReaders(weak: Weak): void {
    let reader: State | undefined;
    for (const state of this.#states.values()) {
      const index = state.reduction.children.indexOf(weak);
      if (index < 0) continue;
      if (state.reduction.onlyReads?.has(index) !== true) return;
      state.next = index + 1;
      reader ??= state;
    }
    const size = reader === undefined ? 0 : weakSizeOf(weak);
    if (reader === undefined || size === 0) return;
    this.#stack.push(reader);
    refuseUnread(weak, size);
  }

  readonly #kindOf = (value: object): string => this.#states.get(value)!.reduction.kind;

  #run(): void {
    const stack = this.#stack;
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const { children } = top.reduction;
      let descended = false;
      while (top.next < children.length) {
        const child = children[top.next++];
        if (isPrimitive(child) || this.#states.has(child as object) || this.#writePlain(child as object)) continue;
        this.#reduce(child as object);
        descended = true;
        break;
      }
      const { beside } = top.reduction;
      while (!descended && beside !== undefined && top.next < children.length + beside.length) {
        const part = beside[top.next++ - children.length]!;
        if (this.#states.has(part) || this.#writePlain(part)) continue;
        this.#reduce(part);
        descended = true;
      }
      if (descended) continue;
      this.#complete(top);
      stack.pop();
      if (top.after !== undefined) stack.push(...top.after.reverse());
    }
  }

  #reduce(value: object): void {
    this.#parts.enter(value);
    const reduction = this.#reduced?.get(value) ?? this.#classifier.reduce(value, this.#isExplicit);
    if (isWeak(value)) this.#weak.push(value);
    this.#push(reduction, value);
  }

  /** Writes the value as one node, if it is plain data all through. */
  #writePlain(value: object): boolean {
    if (!this.#parts.isCandidate(value)) return false;
    const at = this.#sink.at;
    this.#sink.byte(Op.plain);
    if (!this.#parts.write(value)) {
      this.#sink.at = at;
      return false;
    }
    this.stateless = false;
    this.constant = false;
    this.#states.set(value, {
      reduction: PLAIN,
      kind: objectKind,
      number: this.#count++,
      waiting: undefined,
      next: 0,
      after: undefined,
    });
    return true;
  }

  /** @param value what is reduced, if others may refer to it. */
  #push(reduction: Reduction, value?: object): void {
    const kind = kindOf(reduction.kind);
    if (kind === undefined) throw new TypeError(`No node kind \`${reduction.kind}\` is registered.`);
    if (kind.modules !== undefined) this.#flags |= NEEDS_MODULES;
    if (reduction.stateless !== true) this.stateless = false;
    if (reduction.constant !== true) this.constant = false;
    const state: State = { reduction, kind, number: -1, waiting: undefined, next: 0, after: undefined };
    if (value !== undefined) this.#states.set(value, state);
    const first = this.#blocker(reduction);
    if (first !== undefined) {
      first.after ??= [];
      first.after.push(state);
      return;
    }
    this.#stack.push(state);
    if (!kind.shell) return;
    this.#sink.byte(Op.create);
    this.#kind(kind.tag);
    this.#data(reduction, kind);
    state.number = this.#count++;
  }

  readonly #isExplicit = (): boolean => this.#stack.every(({ kind }) => CONTAINERS.has(kind.tag));

  /** An object in progress that has to be complete before this one can be built. */
  #blocker({ needs, children }: Reduction): State | undefined {
    for (const index of needs ?? []) {
      const child = children[index];
      const state = isPrimitive(child) ? undefined : this.#states.get(child as object);
      if (state !== undefined && state.number < 0) return state;
    }
    return undefined;
  }

  #complete(state: State): void {
    const { reduction, kind } = state;
    const { children } = reduction;
    if (kind.shell) {
      this.#sink.byte(Op.fill);
      this.#sink.varint(state.number);
    } else {
      this.#sink.byte(Op.build);
      this.#kind(kind.tag);
      this.#data(reduction, kind);
    }
    this.#sink.varint(children.length);
    for (let i = 0; i < children.length; i++) {
      // For the path of an error: this child is the one at fault.
      state.next = i + 1;
      this.#token(children[i], state, i);
    }
    if (kind.shell) return;
    state.number = this.#count++;
    for (const [owner, index] of state.waiting ?? []) {
      this.#sink.byte(Op.set);
      this.#sink.varint(owner.number);
      this.#sink.varint(index);
      this.#sink.varint(state.number);
    }
  }

  #token(value: unknown, owner: State | undefined, index: number): void {
    if (isPrimitive(value)) {
      this.#tokens.primitive(value);
      return;
    }
    const state = this.#states.get(value as object)!;
    if (state.number >= 0 || owner === undefined) {
      this.#sink.byte(Token.ref);
      this.#sink.varint(state.number);
      return;
    }
    this.#classifier.checkLate(state.reduction);
    this.#sink.byte(Token.late);
    state.waiting ??= [];
    state.waiting.push([owner, index]);
  }

  #kind(tag: string): void {
    const known = this.#kinds.get(tag);
    if (known === undefined) {
      this.#kinds.set(tag, this.#kinds.size);
      this.#tokens.primitive(tag);
    } else {
      this.#sink.byte(Token.ref);
      this.#sink.varint(known);
    }
  }

  #data(reduction: Reduction, kind: NodeKind): void {
    if (kind.code === true) this.#tokens.code(reduction.data);
    else if (reduction.data instanceof Uint8Array)
      this.#classifier.wroteBytes(reduction, this.#tokens.bytes(reduction.data));
    else this.#tokens.data(reduction.data);
  }

  /** Gives an error the path from the culprit up to the value that was sent. */
  #located(error: unknown): unknown {
    const steps: Step[] = [];
    for (let i = this.#stack.length - 1; i >= 0; i--) {
      const { reduction, next } = this.#stack[i]!;
      if (next > 0)
        steps.push({ label: reduction.label(next - 1), actor: reduction.actor, advice: reduction.advice?.(next - 1) });
    }
    if (error instanceof Refused) return refusal(error.refusal, steps);
    return error instanceof SerializationError ? located(error, steps) : error;
  }
}

/** How a value is reduced that was written already. */
const PLAIN: Reduction = { kind: objectKind.tag, data: undefined, children: [], label: () => '' };

function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function');
}
