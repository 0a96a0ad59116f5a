/** A durable run, as the broker knows it. */
export interface RunInfo {
  /** Its name, for {@link DistributedPool.resume}. */
  readonly run: string;
  /** Items, from the first on, whose tasks the broker has had; a driver says it some milliseconds later. */
  readonly items: number;
  /** Items in all; absent while its source is being read, or where its driver ended before it was. */
  readonly total?: number;
  /** Items whose results were delivered. */
  readonly delivered: number;
  /** When it began. */
  readonly since: Date;
}
