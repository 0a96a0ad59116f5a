/** A value whose message named modules that are still loading. */
export class PendingValue {
  /**
   * The value, once they are loaded. Rejects with SerializationError `MP_MODULE_FAILED` when one does not
   * load.
   */
  readonly ready: Promise<unknown>;

  constructor(ready: Promise<unknown>) {
    this.ready = ready;
  }
}
