/**
 * The objects that a server keeps, and for how long.
 *
 *   held by a client, or on its way to one      in the table, strongly
 *   held by proxies inside the server only      in the table weakly: the proxies hold it, and the
 *                                               garbage collector frees it with them, cycles too
 *   held by nobody                              out of the table, released
 */
import { collectGarbage } from '../../util/collect-garbage.js';
import { setImmediate } from '../../util/timers.js';
import type { ManagedType } from '../registry.js';
import { keyOfShape, type Shape, shapeOf } from '../shape.js';

/** A shape with its number in the server. */
export interface NumberedShape extends Shape {
  readonly number: number;
}

/** An object of the server, with what of it can be reached. */
export class Referent {
  readonly id: number;
  readonly object: unknown;
  readonly type: ManagedType;
  readonly shape: NumberedShape;
  /** References of clients, and those that are on their way to one. */
  holders = 0;
  /** Whether proxies inside the server hold it too, or did. */
  local = false;
  /** The proxy inside the server. */
  proxy: WeakRef<object> | undefined;

  constructor(id: number, object: unknown, type: ManagedType, shape: NumberedShape) {
    this.id = id;
    this.object = object;
    this.type = type;
    this.shape = shape;
  }
}

export class ReferentTable {
  readonly #byId = new Map<number, Referent | WeakRef<Referent>>();
  readonly #byObject = new WeakMap<object, Referent[]>();
  readonly #shapes = new Map<string, NumberedShape>();
  readonly #onReleased: (referent: Referent) => void;
  readonly #vanished = new FinalizationRegistry<number>((id) => {
    const left = this.#byId.get(id);
    if (left instanceof WeakRef && left.deref() === undefined) this.#byId.delete(id);
  });
  #last = 0;

  /** @param onReleased called with one that nothing refers to any more. */
  constructor(onReleased: (referent: Referent) => void) {
    this.#onReleased = onReleased;
  }

  /**
   * Returns the referent of an object, which is the same one each time it is added as the same
   * type.
   */
  add(typeid: string, type: ManagedType, object: unknown): Referent {
    const shape = this.#number(shapeOf(typeid, type, object));
    const known = isObject(object) ? this.#byObject.get(object) : undefined;
    const same = known?.find((each) => each.shape === shape && this.find(each.id) === each);
    if (same !== undefined) return same;
    const referent = new Referent(++this.#last, object, type, shape);
    this.#byId.set(referent.id, referent);
    if (isObject(object))
      this.#byObject.set(object, [...(known ?? []).filter((each) => this.find(each.id) === each), referent]);
    return referent;
  }

  /** Returns the referent of a number. */
  find(id: number): Referent | undefined {
    const found = this.#byId.get(id);
    return found instanceof WeakRef ? found.deref() : found;
  }

  /** One more reference. */
  retain(referent: Referent): void {
    if (referent.holders++ === 0) this.#byId.set(referent.id, referent);
  }

  /** So many references less. */
  drop(referent: Referent, count: number): void {
    referent.holders -= count;
    if (referent.holders > 0) return;
    if (referent.local) {
      this.#byId.set(referent.id, new WeakRef(referent));
      this.#vanished.register(referent, referent.id);
      return;
    }
    this.#byId.delete(referent.id);
    this.#onReleased(referent);
  }

  /** All that are there. */
  all(): Referent[] {
    const found: Referent[] = [];
    for (const id of this.#byId.keys()) {
      const referent = this.find(id);
      if (referent !== undefined) found.push(referent);
    }
    return found;
  }

  /** All that something refers to: garbage is collected first. */
  async reachable(): Promise<Referent[]> {
    for (const each of this.#byId.values()) {
      if (!(each instanceof WeakRef)) continue;
      // Weak references are good for the rest of the turn in which they were looked at.
      await new Promise(setImmediate);
      collectGarbage();
      break;
    }
    return this.all();
  }

  #number(shape: Shape): NumberedShape {
    const key = keyOfShape(shape);
    let numbered = this.#shapes.get(key);
    if (numbered === undefined) {
      numbered = { ...shape, number: this.#shapes.size };
      this.#shapes.set(key, numbered);
    }
    return numbered;
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
