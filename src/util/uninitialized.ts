/**
 * Memory of its own whose bytes are whatever they were. For what fills all of it: zeroing it first
 * would cost as much as a copy.
 */
export function uninitializedBytes(length: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length);
  return new Uint8Array(buffer, byteOffset, length);
}
