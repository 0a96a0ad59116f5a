/**
 * This thread's place in its family (agent-table.ts), and its way to the kernel.
 *
 *   root    first use: a table of its own, the kernel is an object here
 *           first child: the kernel moves to a thread of its own
 *   child   `joinFamily` (membership.ts) with what its parent got from {@link prepareMember}
 *
 *   guest   a thread that the program has started itself, with `new Worker`, after its own thread had
 *           a family (joining.ts). The thread that started it tells of its end.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, threadId, Worker } from 'node:worker_threads';
import { entry } from '../../util/package.js';
import { timeOfDay } from '../../util/timers.js';
import { createTable, enterAgent, isLiving, leaveAgent, nextNumber } from './agent-table.js';
import { type Ancestry, ancestry, bequeath, Stranger } from './joining.js';
import { Kernel, type Reply, type Request } from './kernel.js';
import type { Answer, KernelData, Message } from './kernel-thread.js';
import { FAMILY, type Family, type Membership, scope } from './membership.js';
import { removeAll } from './remove-all.js';

function family(): Family {
  if (!watching) watchThreads();
  return scope[FAMILY] ?? enter();
}

let watching = false;
let kernelThread: Worker | null = null;

/** Takes a place in the family of the thread that started this one, or begins one. */
function enter(): Family {
  const ancestors = ancestry();
  const own = ancestors === undefined ? found() : visit(ancestors);
  scope[FAMILY] = own;
  return own;
}

function visit(ancestors: Ancestry): Family {
  const word = newWord();
  const kernel = new Stranger(ancestors, word);
  return { ...ancestors, agent: kernel.agent, kernel, word };
}

/** Begins a family with this thread. */
function found(): Family {
  const table = createTable();
  const kernel = new Kernel({ table, things: new Map(), offers: new Map(), paths: new Map() }, timeOfDay, removeAll);
  const name = `${process.pid}.${threadId}.${timeOfDay().toString(36)}`;
  bequeath({ name, table });
  return { name, table, agent: enterAgent(table), kernel, word: newWord() };
}

/** Sees to the threads that the program starts: that the kernel hears them, and of their end. */
function watchThreads(): void {
  watching = true;
  process.on('worker', (worker: Worker) => {
    if (worker === kernelThread || scope[FAMILY] === undefined) return;
    const mine = scope[FAMILY];
    if (isHere(mine.kernel)) mine.kernel = start(mine, mine.kernel);
    const { threadId: number } = worker;
    worker.once('exit', () => ask({ type: 'gone', threadId: number }));
  });
}

/** Returns a name that no other family has. */
export function familyName(): string {
  return family().name;
}

/** Returns the number of the calling thread among the agents of its family. */
export function ownAgent(): number {
  return family().agent;
}

/** Returns whether an agent's thread has ended. */
export function agentHasEnded(agent: number): boolean {
  return !isLiving(family().table, agent);
}

/** Returns a number for a new thing. */
export function newNumber(): number {
  return nextNumber(family().table);
}

/** Has the kernel do something. Requests of one thread are done in order. */
export function tell(request: Request): void {
  const { kernel, agent } = family();
  if (isHere(kernel)) {
    kernel.handle(agent, request);
    kernel.tidy();
  } else post(kernel, { type: 'tell', request });
}

/** Returns what the kernel answers. Blocks meanwhile, for some 50 microseconds. */
export function ask(request: Request): Reply {
  const { kernel, agent, word } = family();
  if (isHere(kernel)) {
    kernel.tidy();
    return kernel.handle(agent, request);
  }
  const seen = Atomics.load(word, 0);
  post(kernel, { type: 'ask', request });
  for (;;) {
    const answer = ('receive' in kernel ? kernel.receive() : receiveMessageOnPort(kernel)) as
      | { readonly message: Answer }
      | undefined;
    if (answer !== undefined) return answer.message.reply;
    Atomics.wait(word, 0, seen);
  }
}

/**
 * Returns what a thread that is about to be started needs; `null` where this one is a guest, and so
 * is what it starts.
 */
export function prepareMember(): Membership | null {
  const mine = family();
  if (isHere(mine.kernel)) mine.kernel = start(mine, mine.kernel);
  const { port1, port2 } = new MessageChannel();
  const { name, table } = mine;
  const agent = enterAgent(table);
  const word = newWord();
  if ('receive' in mine.kernel) return null;
  mine.kernel.postMessage({ type: 'join', port: port1, agent, word } satisfies Message, [port1]);
  return { family: name, table, agent, word, port: port2 };
}

/**
 * The thread of a membership has ended. The kernel hears of it by itself, if this thread is blocked;
 * said here it is known at once.
 */
export function endMember({ table, agent }: Pick<Membership, 'table' | 'agent'>): void {
  leaveAgent(table, agent);
}

/** Moves the kernel to a thread. */
function start({ name, agent, word }: Family, kernel: Kernel): MessagePort {
  const { port1, port2 } = new MessageChannel();
  const workerData: KernelData = { family: name, state: kernel.state, port: port1, agent, word };
  const thread = new Worker(entry('native/threads/kernel-thread'), {
    name: 'multiprocess kernel',
    workerData,
    transferList: [port1],
    // It runs nobody's code: no preloads, no environment.
    execArgv: [],
    env: {},
  });
  thread.unref();
  kernelThread = thread;
  return port2;
}

/** Another copy of the package may have made it. */
function isHere(kernel: Family['kernel']): kernel is Kernel {
  return 'handle' in kernel;
}

function newWord(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

function post(port: MessagePort | Stranger, message: Exclude<Message, { readonly type: 'join' }>): void {
  port.postMessage(message);
}
