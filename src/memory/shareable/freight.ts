/**
 * What keeps shared things for messages that are under way.
 *
 * A message that refers to a shared object (a lock, a value, a connection) carries a handle of it,
 * and the sender may drop the object at once. So the sender keeps it for as long as somebody may
 * still read the message:
 *
 *   while a value is encoded   each handle that is made is noted: together they are the message's
 *                              freight
 *   the message is sent        who sends it knows when nobody can read it any more, and holds its
 *                              freight until then: {@link holdUntil}
 *   then                       the handles stand for {@link TRANSIT} ms more (transit.ts,
 *                              native/sharer-linux.cc): the reader may still load modules
 *   nobody holds it            bytes that a user keeps (`dumps`): the handles stand for TRANSIT ms
 *                              from the encoding on
 *
 * What is over is asked for once a second, while anything is held: no channel tells it by itself,
 * and asking costs some loads.
 */
import { registerAfterFork } from '../../util/after-fork.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';

/** One thing that a message refers to. */
export interface Keep {
  /** No time ends it until {@link letGo}. May be called several times. */
  hold(): void;
  /** Takes one {@link hold} back; the time begins. */
  letGo(): void;
}

/** Milliseconds between two looks. */
const HOLD_CHECK_MS = 1_000;

/** What one message refers to. */
export class Freight {
  readonly #keeps: readonly Keep[];
  #holds = 0;

  constructor(keeps: readonly Keep[]) {
    this.#keeps = keeps;
  }

  /** No time ends it until as many calls of {@link release}. */
  hold(): this {
    if (this.#holds++ === 0) for (const keep of this.#keeps) keep.hold();
    return this;
  }

  /** Nobody can read the message any more, or it was read. */
  release(): void {
    if (--this.#holds === 0) for (const keep of this.#keeps) keep.letGo();
  }
}

// ---- while a value is encoded

let loading: Keep[] | null = null;
let noting = false;

/** A handle was made: of the value that is being encoded, if one is. */
export function noteKeep(keep: Keep): void {
  if (!noting) return;
  loading ??= [];
  loading.push(keep);
}

/** Notes what is sent with what `encode` writes; `null`: nothing that must be kept. */
export function freightOf(encode: () => void): Freight | null {
  const outer = loading;
  const nested = noting;
  loading = null;
  noting = true;
  try {
    encode();
    return loading === null ? null : new Freight(loading);
  } finally {
    // What a reducer encodes travels inside of what is encoded around it.
    const mine: Keep[] | null = loading;
    loading = outer;
    noting = nested;
    if (nested && mine !== null) for (const keep of mine as Keep[]) noteKeep(keep);
  }
}

// ---- while a message is under way

interface HeldFreight {
  readonly freight: Freight;
  readonly over: (hurried: boolean) => boolean;
}

const under: { way: HeldFreight[]; timer: NodeJS.Timeout | null } = { way: [], timer: null };

/**
 * Holds what a message refers to until the message is over: it was read, or nobody can read it any
 * more.
 *
 * @param over Whether it is over; cheap, and never throws. `hurried`: nothing new is to be waited
 *   for, as at the end of a test.
 */
export function holdUntil(freight: Freight, over: (hurried: boolean) => boolean): void {
  under.way.push({ freight: freight.hold(), over });
  under.timer ??= setTimeout(look, HOLD_CHECK_MS, false).unref();
}

function look(hurried: boolean): void {
  under.timer = null;
  under.way = under.way.filter(({ freight, over }) => {
    if (!over(hurried)) return true;
    freight.release();
    return false;
  });
  if (under.way.length > 0) under.timer = setTimeout(look, HOLD_CHECK_MS, false).unref();
}

/** Looks now: at the end of a test, which does not wait a second. */
export function lookAtHolds(): void {
  if (under.timer !== null) clearTimeout(under.timer);
  if (under.way.length > 0) look(true);
}

// What was sent is the parent's to keep.
registerAfterFork(under, (inherited) => {
  if (inherited.timer !== null) clearTimeout(inherited.timer);
  inherited.way = [];
  inherited.timer = null;
});
