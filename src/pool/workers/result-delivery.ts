import { PendingValue } from '../../reduction/index.js';
import type { Batch } from '../scheduling/batch.js';
import { fromWorker } from '../wire/remote-error.js';
import { Unreadable } from './worker-channel.js';

/** Hands what was decoded on: at once, or when the modules that it needs are loaded. */
export class ResultDelivery {
  /** @param progressed Something arrived after its record was read. */
  constructor(private readonly progressed: () => void) {}

  /** Hands on what is no result. What cannot be read is an error itself. */
  whenLoaded(value: unknown, then: (value: unknown) => void): void {
    if (value instanceof Unreadable) then(value.reason);
    else if (!(value instanceof PendingValue)) then(value);
    else void value.ready.then(then, then).then(() => this.progressed());
  }

  /** Hands on a result. An error whose modules load keeps its batch until it is known. */
  deliver(batch: Batch, index: number, value: unknown, failed: boolean, micros: number): void {
    if (value instanceof Unreadable) batch.error(value.reason, index);
    else if (value instanceof PendingValue) {
      const held = failed && batch.mayRepeat;
      if (held) batch.loading++;
      void value.ready
        .then(
          (ready) => (failed ? batch.failed(fromWorker(ready, batch.site), index) : batch.value(ready, index, micros)),
          (error) => batch.error(error, index),
        )
        .then(() => {
          if (held && --batch.loading === 0 && batch.over) batch.onReleased();
          this.progressed();
        });
    } else if (failed) batch.failed(fromWorker(value, batch.site), index);
    else batch.value(value, index, micros);
  }
}
