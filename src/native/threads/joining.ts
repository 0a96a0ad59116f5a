/**
 * How threads that the program starts itself, with `new Worker`, reach the kernel: nobody gave them a
 * port. They know of the family by the environment data that threads inherit, and speak with the
 * kernel on channels of names that follow from it.
 */
import {
  BroadcastChannel,
  getEnvironmentData,
  receiveMessageOnPort,
  setEnvironmentData,
  threadId,
} from 'node:worker_threads';
import { otherHost } from '../../util/host.js';
import { awaitServing, enterAgent } from './agent-table.js';
import type { Request } from './kernel.js';

const KEY = 'multiprocess.family';

/** What a thread inherits. */
export interface Ancestry {
  readonly name: string;
  readonly table: Int32Array;
}

/** What goes to the kernel. */
export type StrangerMessage =
  | { readonly type: 'come'; readonly agent: number; readonly word: Int32Array; readonly threadId: number }
  | { readonly type: 'tell' | 'ask'; readonly agent: number; readonly request: Request };

/** Threads that are started from here on know the family. */
export function bequeath({ name, table }: Ancestry): void {
  setEnvironmentData(KEY, { name, table } as never);
}

/**
 * Whether such threads can be members. Bun does not tell of them (the event `worker` of a process),
 * and Deno takes no message from a channel before the event loop turns: there they begin families
 * of their own.
 */
export const takesStrangers: boolean = otherHost() === null;

/** Returns the family of the thread that started this one, if that had one then. */
export function ancestry(): Ancestry | undefined {
  return takesStrangers ? (getEnvironmentData(KEY) as unknown as Ancestry | undefined) : undefined;
}

/** Name of the channel on which the kernel hears. */
export function inquiries(family: string): string {
  return `multiprocess ${family}`;
}

/** Name of the channel on which an agent hears. */
export function answers(family: string, agent: number): string {
  return `multiprocess ${family} ${agent}`;
}

/** A thread's way to the kernel by channels: what a port is to others. */
export class Stranger {
  readonly agent: number;
  readonly word: Int32Array;
  readonly #name: string;
  readonly #answers: BroadcastChannel;

  /** Blocks until the kernel is there: its family starts it when it sees a thread come. */
  constructor({ name, table }: Ancestry, word: Int32Array) {
    this.#name = name;
    this.word = word;
    awaitServing(table);
    this.agent = enterAgent(table);
    this.#answers = new BroadcastChannel(answers(name, this.agent));
    this.#answers.unref();
    this.#post({ type: 'come', agent: this.agent, word, threadId });
  }

  postMessage({ type, request }: { readonly type: 'tell' | 'ask'; readonly request: Request }): void {
    this.#post({ type, request, agent: this.agent });
  }

  /** What has been answered, as `receiveMessageOnPort` has it. */
  receive(): { readonly message: unknown } | undefined {
    return receiveMessageOnPort(this.#answers as never);
  }

  #post(message: StrangerMessage): void {
    // Open for as long as it takes: it would hear all others.
    const channel = new BroadcastChannel(inquiries(this.#name));
    channel.postMessage(message);
    channel.close();
  }
}
