/**
 * Names at the broker. Each begins with the version of what is said there: agents and drivers of
 * versions that do not understand each other do not hear each other.
 *
 *   mp.v1.t.<pool>.<class>.<driver>.<run>   tasks, in the stream of their class: MP_H_<pool>, MP_T_<pool>, MP_L_<pool>
 *   mp.v1.d.<pool>                          dead letters, in the stream MP_D_<pool>
 *   mp.v1.b.<pool>.<owner>.<blob>.<part>    functions and large arguments, in the stream MP_B_<pool>
 *   mp.v1.o.<pool>.<run>.record             what is known of a durable run, in the stream MP_R_<pool>
 *   mp.v1.o.<pool>.<run>.<chunk>.<offset>.<count>   how these items of it ended
 *   mp.v1.r.<driver>                        to a driver: results, questions
 *   mp.v1.r.<driver>.<transfer>.<at>.<bytes>   a part of a payload of so many bytes: as it is
 *   mp.v1.c.<pool>                          to all agents of a pool: cancel, lease
 *   mp.v1.q.<pool>                          to all agents of a pool: who is there?
 *   mp.v1.s.<pool>.<host>                   what an agent says of itself, once a second
 */

export const PROTOCOL = 1;
const ROOT = `mp.v${PROTOCOL}`;

/** Classes of priority, the most urgent first. */
export const CLASSES = ['high', 'normal', 'low'] as const;
export type PriorityClass = (typeof CLASSES)[number];

/** The class of a `priority`. */
export function classOf(priority: number | undefined): PriorityClass {
  return priority === undefined || priority === 0 ? 'normal' : priority > 0 ? 'high' : 'low';
}

/** Names of one pool. */
export class PoolNames {
  readonly deadLetters: string;
  readonly blobs: string;
  readonly results: string;
  /** Subjects. */
  readonly deadLetter: string;
  readonly allBlobs: string;
  readonly allResults: string;
  readonly allRunRecords: string;
  readonly control: string;
  readonly query: string;
  readonly allHosts: string;

  constructor(readonly pool: string) {
    this.deadLetters = `MP_D_${pool}`;
    this.blobs = `MP_B_${pool}`;
    this.results = `MP_R_${pool}`;
    this.deadLetter = `${ROOT}.d.${pool}`;
    this.allBlobs = `${ROOT}.b.${pool}.>`;
    this.allResults = `${ROOT}.o.${pool}.>`;
    this.allRunRecords = `${ROOT}.o.${pool}.*.record`;
    this.control = `${ROOT}.c.${pool}`;
    this.query = `${ROOT}.q.${pool}`;
    this.allHosts = `${ROOT}.s.${pool}.*`;
  }

  /** Each class has a stream of its own, so that its consumer needs no filter. */
  streamOf(name: PriorityClass): string {
    return `MP_${name === 'normal' ? 'T' : name[0]!.toUpperCase()}_${this.pool}`;
  }

  /** The stream that has this subject. */
  streamOfTask(subject: string): string {
    return this.streamOf(subject.split('.')[4] as PriorityClass);
  }

  tasksOfClass(name: PriorityClass): string {
    return `${ROOT}.t.${this.pool}.${name}.>`;
  }

  task(name: PriorityClass, driver: string, run: string): string {
    return `${ROOT}.t.${this.pool}.${name}.${driver}.${run}`;
  }

  /** The driver and the run that a task's subject names. */
  ownerOf(subject: string): { readonly driver: string; readonly run: string } {
    const [driver = '', run = ''] = subject.split('.').slice(5);
    return { driver, run };
  }

  tasksOfRun(driver: string, run: string): string {
    return `${ROOT}.t.${this.pool}.*.${driver}.${run}`;
  }

  tasksOfDriver(driver: string): string {
    return `${ROOT}.t.${this.pool}.*.${driver}.>`;
  }

  /** @param blob Its owner, a dot, its name. */
  blobPart(blob: string, part: number | '*'): string {
    return `${ROOT}.b.${this.pool}.${blob}.${part}`;
  }

  /** Blobs that a driver made for its own tasks. */
  blobsOfDriver(driver: string): string {
    return `${ROOT}.b.${this.pool}.${driver}.*.*`;
  }

  /** All that is stored of a durable run, by its id. */
  resultsOf(run: string): string {
    return `${ROOT}.o.${this.pool}.${run}.>`;
  }

  runRecord(run: string): string {
    return `${ROOT}.o.${this.pool}.${run}.record`;
  }

  /** The run that a subject of {@link allRunRecords} names. */
  runOf(record: string): string {
    return record.split('.')[4] ?? '';
  }

  /** How items `[offset, offset + count)` of a chunk ended. */
  result(run: string, chunk: number, offset: number, count: number): string {
    return `${ROOT}.o.${this.pool}.${run}.${chunk}.${offset}.${count}`;
  }

  host(host: string): string {
    return `${ROOT}.s.${this.pool}.${host}`;
  }
}

/** Where a part of a large payload goes: what lies at byte `at` of `bytes`. */
export function partSubject(driver: string, transfer: string, at: number | '*', bytes: number | '*'): string {
  return `${driverSubject(driver)}.${transfer}.${at}.${bytes}`;
}

/** Where a driver listens. */
export function driverSubject(driver: string): string {
  return `${ROOT}.r.${driver}`;
}

/** The blob that has the bytes of a function. Whoever needs the same one finds it there. */
export function codeBlob(hash: string): string {
  return `code.${hash}`;
}

const DURABLE = 'run-';

/** A durable run is a driver of its own, and its only run: whichever process reads it listens there. */
export function durableId(name: string): string {
  return DURABLE + name;
}

/** The name that a durable run was given. */
export function nameOfRun(id: string): string {
  return id.slice(DURABLE.length);
}

export function isDurable(driver: string): boolean {
  return driver.startsWith(DURABLE);
}

/** The version in the subjects of a stream; `undefined` where they have none. */
export function versionOf(subjects: readonly string[] | undefined): number | undefined {
  const found = /^mp\.v(\d+)\./.exec(subjects?.[0] ?? '');
  return found === null ? undefined : Number(found[1]);
}
