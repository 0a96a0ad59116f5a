/**
 * Returns items as they are sent to a container: what is iterated only here, an iterator or an object
 * with a method of its own, goes as an array. What every server reads as it is stays: arrays, Maps,
 * Sets, typed arrays, texts, proxies, and what has no items.
 */
export function listed<S>(source: S): S | unknown[] {
  const own = typeof source === 'object' && source !== null && Symbol.iterator in source;
  if (!own || Array.isArray(source) || ArrayBuffer.isView(source) || source instanceof Map || source instanceof Set)
    return source;
  return [...(source as Iterable<unknown>)];
}
