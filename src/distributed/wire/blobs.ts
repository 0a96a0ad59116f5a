/**
 * Bytes that messages refer to: functions by their hash, payloads that are larger than a message.
 *
 *   part 0, 1, …  u32 number of parts (little endian) | bytes
 *
 * The last part is stored last, so who finds it finds all.
 */
import type { MultiprocessError } from '../../errors/index.js';
import { uninitializedBytes } from '../../util/uninitialized.js';
import { type Broker, type BrokerRefusal, type Publisher, publishOnce } from '../broker/index.js';

const HEADER = 4;

/** A stream that has blobs. */
export interface BlobNames {
  /** Its name. */
  readonly blobs: string;
  /** The subject of a part. */
  blobPart(blob: string, part: number): string;
}

/** Stores bytes under a name. @throws (rejects) what `refuse` makes of the broker's refusal. */
export async function storeBlob(
  broker: Broker,
  publisher: Publisher,
  names: BlobNames,
  blob: string,
  bytes: Uint8Array,
  refuse: (reason: BrokerRefusal) => MultiprocessError,
): Promise<void> {
  const size = broker.maxPayload;
  const total = Math.max(1, Math.ceil(bytes.length / size));
  const nonce = broker.inbox();
  for (let index = 0; index < total; index++) {
    const content = bytes.subarray(index * size, (index + 1) * size);
    const part = uninitializedBytes(HEADER + content.length);
    new DataView(part.buffer).setUint32(0, total, true);
    part.set(content, HEADER);
    await publishOnce(publisher, names.blobPart(blob, index), `${nonce}/${index}`, part, refuse);
  }
}

/** The bytes of that name; `undefined` when they are not all there, or the broker does not answer. */
export async function fetchBlob(broker: Broker, names: BlobNames, blob: string): Promise<Uint8Array | undefined> {
  const first = await fetchPart(broker, names, blob, 0);
  if (first === undefined) return undefined;
  const total = new DataView(first.buffer, first.byteOffset, first.byteLength).getUint32(0, true);
  const rest = await Promise.all(
    Array.from({ length: total - 1 }, (_, index) => fetchPart(broker, names, blob, index + 1)),
  );
  const parts: Uint8Array[] = [];
  for (const part of [first, ...rest]) {
    if (part === undefined) return undefined;
    parts.push(part.subarray(HEADER));
  }
  return joined(parts);
}

async function fetchPart(
  broker: Broker,
  names: BlobNames,
  blob: string,
  index: number,
): Promise<Uint8Array | undefined> {
  const part = await broker.request(`$JS.API.DIRECT.GET.${names.blobs}.${names.blobPart(blob, index)}`, '');
  return part === undefined || part.length <= HEADER ? undefined : part;
}

/** Parts in one piece of memory of their own. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = uninitializedBytes(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
