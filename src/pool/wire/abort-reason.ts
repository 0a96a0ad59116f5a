/**
 * Why an item is told to stop, as it travels: beside the rings, in the control page of the link,
 * since the worker reads no record while an item runs.
 *
 *   byte 512  u32  length of what follows; 0 for no reason that can be sent
 *        520       the reason, encoded
 *
 * The parent writes it before it names the item (ABORT_ITEM), and not again before that item has a
 * result.
 */
import { Decoder, Encoder, PendingValue } from '../../codec/codec.js';

const AT = 512;
const BYTES = 1532;
const LENGTH = AT / 4;
/** Characters of a message that are left of a reason that is too long. */
const MAX_MESSAGE_CHARACTERS = 300;

let encoder: Encoder | undefined;

/** Leaves the reason for the worker to read. */
export function writeReason(control: Int32Array, reason: unknown): void {
  if (write(control, reason)) return;
  const { name, message } = (typeof reason === 'object' && reason !== null ? reason : {}) as {
    name?: unknown;
    message?: unknown;
  };
  const said = new Error(typeof message === 'string' ? message.slice(0, MAX_MESSAGE_CHARACTERS) : '');
  Object.defineProperty(said, 'name', {
    value: typeof name === 'string' ? name.slice(0, MAX_MESSAGE_CHARACTERS) : 'AbortError',
  });
  if (!write(control, reason instanceof Error ? said : undefined)) control[LENGTH] = 0;
}

function write(control: Int32Array, reason: unknown): boolean {
  encoder ??= new Encoder();
  try {
    const { total } = encoder.encode(reason);
    if (total > BYTES - 8) return false;
    encoder.layout(new Uint8Array(control.buffer, control.byteOffset + AT + 8, BYTES - 8), 0);
    control[LENGTH] = total;
    return true;
  } catch {
    return false;
  }
}

/**
 * The reason that the parent left; `undefined` for none. A promise while the modules of its class
 * load.
 */
export function readReason(control: Int32Array): unknown {
  const length = control[LENGTH]!;
  if (length === 0) return undefined;
  try {
    const bytes = new Uint8Array(control.buffer, control.byteOffset + AT + 8, length).slice();
    const reason = new Decoder().decode(bytes, 0, length);
    return reason instanceof PendingValue ? reason.ready.catch(() => undefined) : reason;
  } catch {
    return undefined;
  }
}
