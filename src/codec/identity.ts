/**
 * Identity across processes: what has one is, wherever a message about it arrives, the same object
 * that an earlier message about it gave, and the original where that was made. Classes have one
 * (their instances must be `instanceof` them), prototypes of constructor functions, and the
 * WeakMaps and WeakSets that functions capture.
 *
 * An identity is given at the first crossing and is held weakly on both sides.
 */
import { crypto } from '../util/crypto.js';

const identities = new WeakMap<object, string>();
const objects = new Map<string, WeakRef<object>>();
const gone = new FinalizationRegistry<string>((id) => {
  if (objects.get(id)?.deref() === undefined) objects.delete(id);
});

let prefix: string | undefined;
let count = 0;

/** The identity of an object, given now if it has none. */
export function identityOf(object: object): string {
  const known = identities.get(object);
  if (known !== undefined) return known;
  prefix ??= crypto().randomUUID();
  const id = `${prefix}:${count++}`;
  setIdentity(object, id);
  return id;
}

/** Makes an object this process's copy of what the identity stands for. */
export function setIdentity(object: object, id: string): void {
  identities.set(object, id);
  objects.set(id, new WeakRef(object));
  gone.register(object, id);
}

/** This process's copy, or the original. */
export function objectWithIdentity(id: string): object | undefined {
  return objects.get(id)?.deref();
}

/** Whether the identity was given in this process: then its object is the original. */
export function isOriginal(id: string): boolean {
  return prefix !== undefined && id.startsWith(prefix);
}
