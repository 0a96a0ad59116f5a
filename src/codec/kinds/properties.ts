/**
 * Own properties as children of a shell: `key, flags, value` for a data property, `key, flags, get,
 * set` for an accessor.
 *
 * flags: 1 enumerable | 2 writable | 4 configurable | 8 accessor
 */
import { badPayload } from '../messages.js';

const ENUMERABLE = 1;
const WRITABLE = 2;
const CONFIGURABLE = 4;
const ACCESSOR = 8;
const ORDINARY = ENUMERABLE | WRITABLE | CONFIGURABLE;

/** Appends the own properties of `value` to `children`, but for those `skip` names. */
export function pushProperties(children: unknown[], value: object, skip?: (key: string | symbol) => boolean): void {
  for (const key of Reflect.ownKeys(value)) {
    if (skip?.(key) === true) continue;
    const property = Reflect.getOwnPropertyDescriptor(value, key);
    if (property === undefined) continue;
    let flags = (property.enumerable ? ENUMERABLE : 0) | (property.configurable ? CONFIGURABLE : 0);
    if (property.get !== undefined || property.set !== undefined) {
      flags |= ACCESSOR;
      children.push(key, flags, property.get, property.set);
    } else {
      if (property.writable) flags |= WRITABLE;
      children.push(key, flags, property.value);
    }
  }
}

/**
 * Defines the properties that stand in `children` from `from` on. While `final` is false, some
 * children are still missing: everything stays configurable, so that a second call can complete it.
 */
export function defineProperties(target: object, children: readonly unknown[], from: number, final: boolean): void {
  for (let i = from; i < children.length; ) {
    const key = children[i];
    const flags = children[i + 1];
    if ((typeof key !== 'string' && typeof key !== 'symbol') || typeof flags !== 'number')
      throw badPayload('a property has no name');
    const enumerable = (flags & ENUMERABLE) !== 0;
    const configurable = !final || (flags & CONFIGURABLE) !== 0;
    if ((flags & ACCESSOR) !== 0) {
      const get = accessor(children[i + 2]);
      const set = accessor(children[i + 3]);
      Object.defineProperty(target, key, { get, set, enumerable, configurable } as PropertyDescriptor);
      i += 4;
      continue;
    }
    const value = children[i + 2];
    if (flags === ORDINARY && !(key in target)) (target as Record<string | symbol, unknown>)[key] = value;
    else
      Object.defineProperty(target, key, {
        value,
        writable: !final || (flags & WRITABLE) !== 0,
        enumerable,
        configurable,
      });
    i += 3;
  }
}

/** What the child at `index` is called in a path: `.name`, `["odd name"]`, `getter .name`. */
export function propertyLabel(children: readonly unknown[], from: number, index: number): string {
  for (let i = from; i < children.length; ) {
    const width = ((children[i + 1] as number) & ACCESSOR) === 0 ? 3 : 4;
    if (index < i + width) {
      const label = keyLabel(children[i] as string | symbol);
      if (width === 3) return label;
      return index === i + 2 ? `getter ${label}` : `setter ${label}`;
    }
    i += width;
  }
  return '';
}

/** A property key in a path. */
export function keyLabel(key: string | symbol): string {
  if (typeof key === 'symbol') return `[${String(key)}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function accessor(value: unknown): (() => unknown) | undefined {
  if (value === undefined || typeof value === 'function') return value as (() => unknown) | undefined;
  throw badPayload('an accessor is no function');
}
