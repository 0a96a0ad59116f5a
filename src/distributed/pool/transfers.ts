/** Payloads that come in parts, until the message that names them. */
import { performance } from '../../util/timers.js';
import { uninitializedBytes } from '../../util/uninitialized.js';

/** Milliseconds after which parts that nobody named are dropped: their agent has ended. */
const IDLE_MS = 120_000;

interface Transfer {
  readonly whole: Uint8Array;
  /** Where parts were put: one may come twice. */
  readonly found: Set<number>;
  missing: number;
  touched: number;
}

export class Transfers {
  readonly #transfers = new Map<string, Transfer>();
  readonly #maxBytes: number;

  /** @param maxBytes Larger ones are not begun. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes a part: what lies at byte `at` of so many. */
  add(name: string, at: number, bytes: number, part: Uint8Array): void {
    if (!(bytes <= this.#maxBytes && at >= 0 && at + part.length <= bytes)) return;
    let transfer = this.#transfers.get(name);
    if (transfer === undefined) {
      this.#dropIdle();
      transfer = { whole: uninitializedBytes(bytes), found: new Set(), missing: bytes, touched: 0 };
      this.#transfers.set(name, transfer);
    }
    transfer.touched = performance.now();
    if (transfer.whole.length !== bytes || transfer.found.has(at)) return;
    transfer.found.add(at);
    transfer.whole.set(part, at);
    transfer.missing -= part.length;
  }

  /** The whole payload, which is forgotten; `undefined` when it is not complete. */
  take(name: string): Uint8Array | undefined {
    const transfer = this.#transfers.get(name);
    if (transfer === undefined || transfer.missing > 0) return undefined;
    this.#transfers.delete(name);
    return transfer.whole;
  }

  #dropIdle(): void {
    const due = performance.now() - IDLE_MS;
    for (const [name, { touched }] of this.#transfers) if (touched < due) this.#transfers.delete(name);
  }
}
