/**
 * The parts of a node table that are plain data: each goes as one node in the plain form, at the
 * speed of a plain message.
 *
 * Identity. An object inside a part has no number, so nothing else in the message may refer to it. As
 * in a plain message only leaves are looked at (plain/plain-writer.ts): whatever two parts share, or
 * a part and the rest, has a leaf, which is then met twice.
 *
 *   a part meets what a part before it has    begun again ({@link SharedPart}), the leaf is denied
 *   the rest meets what a part has            begun again, the object is denied
 *   a part meets what the rest has            no part: goes object by object
 *   a part meets what is denied               no part
 *   a WeakMap travels                         begun again without parts: its keys need numbers
 *
 * Cost. What was tried in vain is written twice, so attempts end after {@link MAX_FAILURES} dear
 * ones. A message is begun again {@link MAX_RETRIES} times with parts, then without.
 */

import { type Around, PlainWriter } from '../plain/plain-writer.js';
import type { Sink } from '../sink.js';

/** What a part holds is reached from elsewhere too; `null`: parts do not do at all. */
export class SharedPart {
  constructor(readonly object: object | null) {}
}

const MAX_RETRIES = 2;
const MAX_FAILURES = 16;
/** An attempt that failed within so many objects was cheap … */
const CHEAP_OBJECTS = 16;
/** … if it had written no more than so many bytes. */
const CHEAP_BYTES = 1024;

const { getPrototypeOf } = Object;
const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const mapPrototype = Map.prototype;
const setPrototype = Set.prototype;

export class PlainParts implements Around {
  readonly #sink: Sink;
  readonly #plain: PlainWriter;
  readonly #isNumbered: (object: object) => boolean;
  /** The leaves of all parts. */
  #leaves: Set<object> | undefined;
  /** Memory that views outside of parts have. */
  #memory: Set<object> | undefined;
  #denied: Set<object> | undefined;
  #retries = 0;
  #failures = 0;
  #off = false;
  any = false;

  /** @param isNumbered Whether the rest of the message has the object. */
  constructor(sink: Sink, isNumbered: (object: object) => boolean) {
    this.#sink = sink;
    this.#plain = new PlainWriter(sink);
    this.#isNumbered = isNumbered;
  }

  /** Forgets the message before. */
  reset(): void {
    this.#begin();
    this.#denied = undefined;
    this.#retries = 0;
    this.#failures = 0;
    this.#off = false;
  }

  /** The message is begun again. */
  retry(object: object | null): void {
    this.#begin();
    if (object === null || this.#retries++ === MAX_RETRIES) {
      this.#off = true;
    } else {
      this.#denied ??= new Set();
      this.#denied.add(object);
    }
  }

  #begin(): void {
    this.#leaves = undefined;
    this.#memory = undefined;
    this.any = false;
  }

  /** Whether a value may be a part: what the plain form carries and the node table would split up. */
  isCandidate(value: object): boolean {
    if (this.#off || typeof value === 'function') return false;
    const prototype: unknown = getPrototypeOf(value);
    return (
      prototype === objectPrototype ||
      prototype === arrayPrototype ||
      prototype === mapPrototype ||
      prototype === setPrototype
    );
  }

  /**
   * Appends the length and the bytes of a part, or nothing.
   * @throws SharedPart.
   */
  write(value: object): boolean {
    const sink = this.#sink;
    const at = sink.at;
    const { entered } = this.#plain;
    const from = sink.reserve(4);
    let leaves: ReadonlySet<object> | null = null;
    try {
      leaves = this.#plain.writePart(value, this);
    } catch (error) {
      if (error instanceof SharedPart) throw error;
      // A getter threw: the node table knows what to do.
    }
    if (leaves === null) {
      if (this.#plain.entered - entered > CHEAP_OBJECTS || sink.at - at > CHEAP_BYTES) this.#failures++;
      if (this.#failures === MAX_FAILURES) this.#off = true;
      sink.at = at;
      return false;
    }
    sink.view.setUint32(from, sink.at - from - 4, true);
    this.#add(leaves as Set<object>);
    this.any = true;
    return true;
  }

  #add(leaves: Set<object>): void {
    const known = this.#leaves;
    if (known === undefined) {
      this.#leaves = leaves;
      return;
    }
    const [large, small] = known.size < leaves.size ? [leaves, known] : [known, leaves];
    for (const leaf of small) large.add(leaf);
    this.#leaves = large;
  }

  isNew(leaf: object): boolean {
    if (this.#leaves?.has(leaf) === true) throw new SharedPart(leaf);
    return !this.#isNumbered(leaf) && this.#memory?.has(leaf) !== true && this.#denied?.has(leaf) !== true;
  }

  /** The rest of the message meets an object. @throws SharedPart. */
  enter(value: object): void {
    const memory = ArrayBuffer.isView(value) ? value.buffer : undefined;
    if (this.#leaves !== undefined) {
      if (this.#leaves.has(value)) throw new SharedPart(value);
      if (memory !== undefined && this.#leaves.has(memory)) throw new SharedPart(memory);
    }
    if (memory === undefined || this.#off) return;
    this.#memory ??= new Set();
    this.#memory.add(memory);
  }
}
