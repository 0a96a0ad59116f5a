/** Payloads that came in parts, until the message that names them. */
import { performance } from '../../util/timers.js';
import { joined } from '../wire/index.js';

/** Milliseconds after which parts that nobody named are dropped: their agent has ended. */
const IDLE_MS = 120_000;

interface Transfer {
  readonly parts: (Uint8Array | undefined)[];
  missing: number;
  touched: number;
}

export class Transfers {
  readonly #transfers = new Map<string, Transfer>();

  add(name: string, index: number, total: number, bytes: Uint8Array): void {
    let transfer = this.#transfers.get(name);
    if (transfer === undefined) {
      this.#dropIdle();
      transfer = { parts: new Array<Uint8Array | undefined>(total).fill(undefined), missing: total, touched: 0 };
      this.#transfers.set(name, transfer);
    }
    transfer.touched = performance.now();
    if (index >= transfer.parts.length || transfer.parts[index] !== undefined) return;
    transfer.parts[index] = bytes;
    transfer.missing--;
  }

  /** The whole payload, which is forgotten; `undefined` when it is not complete. */
  take(name: string): Uint8Array | undefined {
    const transfer = this.#transfers.get(name);
    if (transfer === undefined || transfer.missing > 0) return undefined;
    this.#transfers.delete(name);
    return joined(transfer.parts as Uint8Array[]);
  }

  #dropIdle(): void {
    const due = performance.now() - IDLE_MS;
    for (const [name, { touched }] of this.#transfers) if (touched < due) this.#transfers.delete(name);
  }
}
