/**
 * Which child is being prepared: what is encoded meanwhile may pass descriptors to it.
 *
 * Python: `context.get_spawning_popen`.
 */

/** A child that is being prepared. */
export interface DescriptorTaker {
  /** Whether the child's descriptors are its own. Those of a thread are its process's. */
  readonly keepsDescriptors: boolean;
  /** Passes a descriptor to the child and returns its number there. */
  duplicateForChild(fd: number): number;
}

let preparing: DescriptorTaker | null = null;

/**
 * The child that values are being encoded for, or `null` when they are encoded for somebody else.
 */
export function spawningPopen(): DescriptorTaker | null {
  return preparing;
}

/** Descriptors that this process was started with, until something that it was sent takes them. */
const inherited = new Set<number>();

/** In a child: what it was started with is there to be taken. */
export function bringDescriptors(descriptors: readonly number[]): void {
  for (const fd of descriptors) inherited.add(fd);
}

/** Takes a descriptor that this process was started with: `false` when it is none of these. */
export function takeDescriptor(fd: number): boolean {
  return inherited.delete(fd);
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
