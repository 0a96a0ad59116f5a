import type { Link } from '../../memory/ring/link.js';
import type { Payload } from '../../memory/ring/payload.js';
import { Encoder } from '../../reduction/receiving.js';
import { MessageKind } from '../wire/protocol.js';
import type { ResultSender } from './result-sender.js';

/** Whose reports they are: an item of a record, see ItemAccount. */
interface ReportedItem {
  readonly sequence: number;
  readonly index: number;
}

/**
 * What the running item reports. While the link has no room the newest report is kept, so the last
 * one always arrives, before the result.
 */
export class TaskReports {
  readonly #link: Link;
  readonly #sender: ResultSender;
  #kept: Payload | null = null;
  /** How many were dropped since the last that was sent. */
  #dropped = 0;
  readonly #item: ReportedItem | null;

  /** @param item Whose reports these are, where several run at once. */
  constructor(link: Link, sender: ResultSender, item: ReportedItem | null = null) {
    this.#link = link;
    this.#item = item;
    this.#sender = sender;
  }

  /** Sends a report, or keeps it. */
  report(progress: unknown): void {
    if (this.#link.writable) {
      const item = this.#item;
      const sent = () => (this.#dropped = 0);
      if (item === null) this.#sender.send(MessageKind.Report, this.#dropped, progress, 0, sent);
      else this.#sender.send(MessageKind.Report, item.sequence, [this.#dropped, progress], item.index, sent);
    } else {
      if (this.#kept !== null) this.#dropped++;
      // As it is now: the task may change it before there is room.
      this.#kept = this.#keep(this.#item === null ? progress : [this.#dropped, progress]);
    }
  }

  /** Sends the report that found no room, if there is some now. */
  flush(): void {
    const kept = this.#kept;
    if (kept === null || !this.#link.writable) return;
    this.#kept = null;
    const item = this.#item;
    this.#link.send(MessageKind.Report, item?.sequence ?? this.#dropped, item?.index ?? 0, kept);
    this.#dropped = 0;
    this.#link.wake();
  }

  #keep(progress: unknown): Payload | null {
    // Self-contained: what the parent has of this worker's code may change before it is sent.
    const encoder = new Encoder();
    try {
      const bytes = new Uint8Array(encoder.encode(progress).total);
      encoder.layout(bytes, 0);
      return { total: bytes.length, layout: (target, offset) => target.set(bytes, offset) };
    } catch {
      this.#dropped++;
      return null;
    }
  }
}
