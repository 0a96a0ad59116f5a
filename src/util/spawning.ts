/**
 * Which child is being prepared: what is encoded meanwhile may pass descriptors to it.
 *
 * Python: `context.get_spawning_popen`.
 */

/** A child that is being prepared. */
export interface DescriptorTaker {
  /** Passes a descriptor to the child and returns its number there. */
  duplicateForChild(fd: number): number;
}

let preparing: DescriptorTaker | null = null;

/** The child that values are being encoded for, or `null` when they are encoded for somebody else. */
export function spawningPopen(): DescriptorTaker | null {
  return preparing;
}

/** Runs `encode`, during which {@link spawningPopen} is `popen`. */
export function whileSpawning<T>(popen: DescriptorTaker, encode: () => T): T {
  const before = preparing;
  preparing = popen;
  try {
    return encode();
  } finally {
    preparing = before;
  }
}
