/**
 * What drivers and agents say to each other: MessagePack, arrays with fixed places. The payload of a
 * task and of a result is bytes of the pool's own serializer inside of that.
 */
import { bad, binary, list, plain, text, whole } from './fields.js';

/** The serializers that both sides have, by number. */
export const SERIALIZERS = ['multiprocess', 'msgpackr'] as const;
export type SerializerName = (typeof SERIALIZERS)[number];

// ---- tasks

/** How the payload of a task is to be called with. */
export const Form = {
  /** The arguments of one call. */
  call: 0,
  /** Items, each an argument. */
  items: 1,
  /** Items, each an array of arguments. */
  spread: 2,
} as const;
export type Form = (typeof Form)[keyof typeof Form];

/** A function by the export of a file that all hosts have. */
export interface ModuleRef {
  /** Name of the package; `''` when the file is in none. */
  readonly package: string;
  /** Its version; `''` when it says none. */
  readonly version: string;
  /** The file, from the package's folder. */
  readonly file: string;
  /** Names from the namespace (of a CommonJS file: its exports) to the function. */
  readonly path: readonly string[];
  readonly commonjs: boolean;
  /** URL of the file on the driver's host. */
  readonly url: string;
}

/** A function by the hash of its bytes. */
export interface CodeRef {
  readonly hash: string;
  /** Whether one rebuilt copy serves any number of tasks. */
  readonly reusable: boolean;
}

export type CallableRef = ModuleRef | CodeRef;

export function isCode(ref: CallableRef): ref is CodeRef {
  return 'hash' in ref;
}

/** How a task is to be run. */
export interface TaskOptions {
  /** Milliseconds an item may run; 0: no limit. */
  readonly timeout: number;
  /** Runs of an item that may end with the death of its worker or its host. */
  readonly maxAttempts: number;
  /** Runs that ended so before this message was made. */
  readonly before: number;
  /** Runs before this one that ended with an error. */
  readonly failures: number;
  /** The driver is asked whether it wants it when it begins. */
  readonly announce: boolean;
  /** The driver wants what it reports. */
  readonly report: boolean;
  /** Milliseconds after which a driver that is not there counts as gone. */
  readonly lease: number;
}

/** A call, or some items in a row. */
export interface TaskMessage {
  readonly driver: string;
  readonly run: string;
  /** Index of the first item of the chunk as it was published first. */
  readonly chunk: number;
  /** Items of the chunk before those that are to be run, and how many are. */
  readonly offset: number;
  readonly count: number;
  readonly form: Form;
  /** Each item is bytes of its own inside of the payload. */
  readonly packed: boolean;
  readonly serializer: SerializerName;
  readonly callable: CallableRef;
  readonly options: TaskOptions;
  /** The whole chunk; as text the name of a blob that has it. */
  readonly payload: Uint8Array | string;
}

export function writeTask(task: TaskMessage): Uint8Array {
  const { callable, options } = task;
  return plain.encode([
    task.driver,
    task.run,
    task.chunk,
    task.offset,
    task.count,
    task.form,
    task.packed,
    SERIALIZERS.indexOf(task.serializer),
    isCode(callable)
      ? [callable.hash, callable.reusable]
      : [callable.package, callable.version, callable.file, callable.path, callable.commonjs, callable.url],
    [
      options.timeout,
      options.maxAttempts,
      options.before,
      options.failures,
      options.announce,
      options.report,
      options.lease,
    ],
    task.payload,
  ]);
}

/** @throws RemoteError `MP_BAD_FRAME`; SerializationError. */
export function readTask(bytes: Uint8Array): TaskMessage {
  const fields = list(plain.decode(bytes), 11);
  const [driver, run, chunk, offset, count, form, packed, serializer, callable, options, payload] = fields;
  const [timeout, maxAttempts, before, failures, announce, report, lease] = list(options, 7);
  return {
    driver: text(driver),
    run: text(run),
    chunk: whole(chunk),
    offset: whole(offset),
    count: whole(count),
    form: whole(form) as Form,
    packed: packed === true,
    serializer: SERIALIZERS[whole(serializer)] ?? bad('a serializer that it does not know'),
    callable: readCallable(callable),
    options: {
      timeout: whole(timeout),
      maxAttempts: whole(maxAttempts),
      before: whole(before),
      failures: whole(failures),
      announce: announce === true,
      report: report === true,
      lease: whole(lease),
    },
    payload: payload instanceof Uint8Array ? payload : text(payload),
  };
}

function readCallable(value: unknown): CallableRef {
  if (!Array.isArray(value)) return bad('a function without a name');
  if (value.length === 2) return { hash: text(value[0]), reusable: value[1] === true };
  const [name, version, file, path, commonjs, url] = list(value, 6);
  return {
    package: text(name),
    version: text(version),
    file: text(file),
    path: Array.isArray(path) ? path.map(text) : bad('a function without a path'),
    commonjs: commonjs === true,
    url: text(url),
  };
}

// ---- to drivers

/** How the items of a task ended. */
export const Outcome = {
  /** All have values: the payload is an array of them. */
  values: 0,
  /** Each by itself: an array of `[ok, bytes]`. */
  mixed: 1,
  /** All failed with one error. */
  error: 2,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

export type DriverRecord =
  | {
      readonly type: 'result';
      readonly run: string;
      readonly chunk: number;
      readonly offset: number;
      readonly count: number;
      /** Runs before that ended with an error. */
      readonly failures: number;
      readonly outcome: Outcome;
      /** As text: the transfer that has brought it. */
      readonly payload: Uint8Array | string;
      /** Microseconds that the items took. */
      readonly micros: number;
    }
  /** What `currentTask().report()` was given. */
  | { readonly type: 'report'; readonly run: string; readonly payload: Uint8Array }
  /** The agent did not find what a task refers to: it is to be stored and published again. */
  | {
      readonly type: 'missing';
      readonly run: string;
      readonly chunk: number;
      readonly offset: number;
      readonly failures: number;
    }
  /**
   * Are these runs still wanted? Answered with those that are not. `<run>#<chunk>#<offset>#<count>#<failures>`:
   * these items begin now, if one of them is.
   */
  | { readonly type: 'wanted'; readonly runs: readonly string[] };

const TYPES = ['result', 'report', 'missing', 'wanted'] as const;

export function writeRecords(records: readonly DriverRecord[]): Uint8Array {
  return plain.encode(records.map((record) => [TYPES.indexOf(record.type), ...Object.values(record).slice(1)]));
}

export function readRecords(bytes: Uint8Array): DriverRecord[] {
  const records = plain.decode(bytes);
  if (!Array.isArray(records)) return bad('no records');
  return records.map(readRecord);
}

function readRecord(value: unknown): DriverRecord {
  const [type, a, b, c, d, e, f, g, h] = Array.isArray(value) ? (value as unknown[]) : bad('a record that is none');
  switch (TYPES[type as number]) {
    case 'result': {
      const payload = g instanceof Uint8Array ? g : text(g);
      return {
        type: 'result',
        run: text(a),
        chunk: whole(b),
        offset: whole(c),
        count: whole(d),
        failures: whole(e),
        outcome: whole(f) as Outcome,
        payload,
        micros: whole(h),
      };
    }
    case 'report':
      return { type: 'report', run: text(a), payload: binary(b) };
    case 'missing':
      return { type: 'missing', run: text(a), chunk: whole(b), offset: whole(c), failures: whole(d) };
    case 'wanted':
      return { type: 'wanted', runs: Array.isArray(a) ? a.map(text) : bad('a question without runs') };
    default:
      return bad('a record of a type that it does not know');
  }
}

/** Values or errors of items, each by itself. */
export function writeMixed(items: readonly (readonly [ok: boolean, bytes: Uint8Array])[]): Uint8Array {
  return plain.encode(items);
}

export function readMixed(bytes: Uint8Array): [ok: boolean, bytes: Uint8Array][] {
  const items = plain.decode(bytes);
  return Array.isArray(items)
    ? items.map((item) => [list(item, 2)[0] === true, binary((item as unknown[])[1])])
    : bad('no outcomes');
}

/** Items that are bytes of their own. */
export function writePacked(items: readonly Uint8Array[]): Uint8Array {
  return plain.encode(items);
}

export function readPacked(bytes: Uint8Array): Uint8Array[] {
  const items = plain.decode(bytes);
  return Array.isArray(items) ? items.map(binary) : bad('no items');
}

export function writeTexts(texts: readonly string[]): Uint8Array {
  return plain.encode(texts);
}

export function readTexts(bytes: Uint8Array): string[] {
  const texts = plain.decode(bytes);
  return Array.isArray(texts) ? texts.map(text) : bad('no texts');
}

// ---- to all agents

export type ControlMessage =
  /** Stop what you have of this run; answer when nothing of it runs any more. */
  | {
      readonly type: 'cancel';
      readonly driver: string;
      readonly run: string;
      readonly name: string;
      readonly message: string;
    }
  /** The lease is so many milliseconds from now on. */
  | { readonly type: 'lease'; readonly lease: number };

export function writeControl(control: ControlMessage): Uint8Array {
  return plain.encode(control);
}

export function readControl(bytes: Uint8Array): ControlMessage {
  const { type, driver, run, name, message, lease } = (plain.decode(bytes) ?? {}) as Record<string, unknown>;
  if (type === 'cancel')
    return { type, driver: text(driver), run: text(run), name: text(name), message: text(message) };
  if (type === 'lease') return { type, lease: whole(lease) };
  return bad('a control message of a type that it does not know');
}

// ---- hosts

/** One agent, as it said of itself last. */
export interface HostInfo {
  /** What tells it from others. */
  readonly id: string;
  /** Name of the machine. */
  readonly hostname: string;
  /** Process id of the agent there. */
  readonly pid: number;
  /** Workers it has. */
  readonly processes: number;
  /** `draining`: it takes no more tasks; `left`: it has ended. */
  readonly state: 'ready' | 'draining' | 'left';
  /** Tasks that it has taken and not settled. */
  readonly held: number;
  /** Items that it has settled since it began. */
  readonly done: number;
  /** Items of these that failed. */
  readonly failed: number;
  /** Workers that died. */
  readonly crashed: number;
  /** Whether it runs functions that drivers send. */
  readonly allowFunctions: boolean;
  /** Version of this package there. */
  readonly version: string;
  /** Version of Node there. */
  readonly node: string;
  /** Milliseconds since 1970 when it began. */
  readonly since: number;
}

export function writeHost(host: HostInfo): Uint8Array {
  return plain.encode(host);
}

export function readHost(bytes: Uint8Array): HostInfo {
  const host = plain.decode(bytes) as HostInfo | null;
  if (typeof host?.id !== 'string' || typeof host.processes !== 'number') return bad('a host without an id');
  return host;
}

// ---- dead letters

/** A dead letter as it is stored. */
export interface DeadLetterRecord {
  readonly driver: string;
  readonly run: string;
  /** Index of the first item, and how many there are. */
  readonly index: number;
  readonly count: number;
  readonly attempts: number;
  readonly host: string;
  readonly name: string;
  readonly message: string;
  readonly code: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The task that was not run, as it was published; empty when it could not be read. */
  readonly task: Uint8Array;
}

export function writeDeadLetter(letter: DeadLetterRecord): Uint8Array {
  return plain.encode(letter);
}

export function readDeadLetter(bytes: Uint8Array): DeadLetterRecord {
  const letter = plain.decode(bytes) as DeadLetterRecord | null;
  if (typeof letter?.run !== 'string' || !(letter.task instanceof Uint8Array))
    return bad('a dead letter without a run');
  return letter;
}
