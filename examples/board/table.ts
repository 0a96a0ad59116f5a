/** How far a job is. */
export interface Job {
  /** The process that does it. */
  readonly pid: number;
  readonly done: number;
  readonly of: number;
}

const WIDTH = 20;

/** The lines of the table: a bar for each job, in the order of their names. */
export function table(jobs: ReadonlyMap<string, Job>): string[] {
  const longest = Math.max(0, ...[...jobs.keys()].map((name) => name.length));
  return [...jobs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { pid, done, of }]) => {
      const filled = Math.round((done / of) * WIDTH);
      return `${name.padEnd(longest)} ${'#'.repeat(filled).padEnd(WIDTH, '.')} ${String(done).padStart(String(of).length)}/${of} (${pid})`;
    });
}

/** Whether all of `count` jobs are done. */
export function finished(jobs: ReadonlyMap<string, Job>, count: number): boolean {
  return jobs.size === count && [...jobs.values()].every(({ done, of }) => done === of);
}
