/**
 * Who reads from an end of a connection that several processes or threads have.
 *
 * One reader may look ahead: it sees many messages with one system call, hands them out, and takes
 * them out of the kernel later. Two readers must each take exactly what they hand out. So the first
 * who reads is noted here, and reads ahead; a second one ends that for good.
 *
 * word 0 READER   0 nobody has read | id of the agent that alone has | MANY
 * word 1 OWES     1 while that agent may have handed out what it has not taken, or has taken a part
 *                 of a message
 * word 2 FIRST    id of that agent, kept when READER becomes MANY
 * word 8 WITHIN   0 | id of the agent that is taking a message piece by piece | LOST: it died there
 *
 * The sole reader sets OWES and then looks at READER; a second reader sets READER and then looks at
 * OWES (Dekker). So either the first sees that it is not alone, before it looks ahead, or the
 * second sees that it must wait: until the end of that turn of the first one's event loop, once in
 * the life of the connection. An agent that died owes nothing: the messages it did not take come
 * again. One that died within a message has taken what nobody can put back: where the next message
 * begins is lost, for all.
 */
import { type Block, currentAgent, hasEnded } from '../../memory/index.js';

const READER = 0;
const OWES = 1;
const FIRST = 2;
const WITHIN = 8;
const MANY = -1;
const LOST = -1;

/** Bytes of shared memory it takes. */
export const READER_BYTES = 64;

/**
 * What a reader may do now. `wait`: another reader finishes what it has begun. `lost`: it never
 * will.
 */
export type Standing = 'sole' | 'many' | 'wait' | 'lost';

export class ReaderWords {
  readonly block: Block;
  readonly #words: Int32Array;
  #me = currentAgent();

  constructor(block: Block) {
    this.block = block;
    this.#words = block.int32;
  }

  /** In a fork: this is somebody else. */
  adopt(): void {
    this.#me = currentAgent();
  }

  /**
   * To be called before each look at the kernel, and followed by {@link leave} when nothing is
   * owed.
   */
  enter(): Standing {
    const words = this.#words;
    const within = Atomics.load(words, WITHIN);
    if (within !== 0 && within !== this.#me) {
      if (within !== LOST && !hasEnded(within)) return 'wait';
      Atomics.compareExchange(words, WITHIN, within, LOST);
      if (Atomics.load(words, WITHIN) === LOST) return 'lost';
    }
    for (;;) {
      const reader = Atomics.load(words, READER);
      if (reader === MANY) return this.#among();
      if (reader === 0 && Atomics.compareExchange(words, READER, 0, this.#me) !== 0) continue;
      if (reader === 0 || reader === this.#me) {
        Atomics.store(words, FIRST, this.#me);
        Atomics.store(words, OWES, 1);
        if (Atomics.load(words, READER) === this.#me) return 'sole';
        Atomics.store(words, OWES, 0);
        return 'many';
      }
      // Another one was alone until now; it may resign just then, and somebody else come.
      if (Atomics.compareExchange(words, READER, reader, MANY) === reader) return this.#among();
    }
  }

  /**
   * Returns whether this agent, which owes, is still alone: then it may take what it owes and look
   * again without {@link leave} and {@link enter}. Others that came wait for it as long as it owes,
   * so it asks each time.
   */
  stays(): boolean {
    return Atomics.load(this.#words, READER) === this.#me;
  }

  #among(): Standing {
    const words = this.#words;
    if (Atomics.load(words, OWES) === 0) return 'many';
    const first = Atomics.load(words, FIRST);
    if (first !== this.#me && !hasEnded(first)) return 'wait';
    Atomics.store(words, OWES, 0);
    return 'many';
  }

  /** This agent is about to take a message piece by piece. */
  begin(): void {
    Atomics.compareExchange(this.#words, WITHIN, 0, this.#me);
  }

  /** It has taken all of the message, or nothing. */
  end(): void {
    Atomics.compareExchange(this.#words, WITHIN, this.#me, 0);
  }

  /** It gives a message up of which it has taken a part. */
  lose(): void {
    Atomics.store(this.#words, WITHIN, LOST);
  }

  /** This agent owes nothing. */
  leave(): void {
    if (Atomics.load(this.#words, FIRST) === this.#me) Atomics.store(this.#words, OWES, 0);
  }

  /** This agent reads no more: the next one may be the sole reader again. */
  resign(): void {
    this.leave();
    Atomics.compareExchange(this.#words, READER, this.#me, 0);
  }
}
