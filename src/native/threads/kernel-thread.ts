/**
 * The program of the kernel's thread (kernel.ts): one port for each thread of the family, and a
 * channel for those that the program has started itself.
 *
 * Order: what a thread tells comes before what it, or one that has learned of it, asks. Ports are
 * served in no order, so whoever asks is answered when all ports have been emptied: what was told
 * before the question is in one of them.
 */
import { BroadcastChannel, type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { collectGarbage } from '../../util/collect-garbage.js';
import { clearTimeout, setTimeout, timeOfDay } from '../../util/timers.js';
import { beginServing } from './agent-table.js';
import { answers, inquiries, type StrangerMessage, takesStrangers } from './joining.js';
import { Kernel, type KernelState, type Reply, type Request } from './kernel.js';
import { removeAll } from './remove-all.js';

/** What a kernel's thread is started with. */
export interface KernelData {
  /** Name of the family. */
  readonly family: string;
  readonly state: KernelState;
  /** To the thread that starts it. */
  readonly port: MessagePort;
  readonly agent: number;
  readonly word: Int32Array;
}

/** What goes through a port. */
export type Message =
  /** One more thread is about to start; it sleeps on the word until a reply has come. */
  | { readonly type: 'join'; readonly port: MessagePort; readonly agent: number; readonly word: Int32Array }
  | { readonly type: 'tell'; readonly request: Request }
  | { readonly type: 'ask'; readonly request: Request };

/** What comes back. */
export interface Answer {
  readonly reply: Reply;
}

let kernel: Kernel;
let timer: NodeJS.Timeout | null = null;

/** A thread, and how it is answered. */
interface Asker {
  readonly agent: number;
  readonly word: Int32Array;
  readonly channel: { postMessage(message: Answer): void };
}

/** Where messages wait, and what takes one. */
const inlets = new Map<MessagePort | BroadcastChannel, (message: never) => void>();
/** Questions, in the order in which they were found. */
let asked: { readonly asker: Asker; readonly request: Request }[] = [];

/** Serves a thread until its port closes, as it does when the thread ends. */
function serve(port: MessagePort, agent: number, word: Int32Array): void {
  const asker: Asker = { agent, word, channel: port };
  const take = (message: Message): void => {
    if (message.type === 'join') serve(message.port, message.agent, message.word);
    else hear(asker, message.type, message.request);
  };
  inlets.set(port, take);
  port.on('message', (message: Message) => {
    take(message);
    answerAll();
  });
  port.once('close', () => {
    inlets.delete(port);
    kernel.ended(agent);
    tidyLater();
  });
}

function hear(asker: Asker, type: 'tell' | 'ask', request: Request): void {
  if (type === 'ask') asked.push({ asker, request });
  else kernel.handle(asker.agent, request);
}

/** Empties all inlets, then answers what was asked. */
function answerAll(): void {
  while (asked.length > 0) {
    for (let found = true; found; ) {
      found = false;
      for (const [inlet, take] of inlets) {
        for (
          let next = receiveMessageOnPort(inlet as MessagePort);
          next !== undefined;
          next = receiveMessageOnPort(inlet as MessagePort)
        ) {
          found = true;
          take(next.message as never);
        }
      }
    }
    const questions = asked;
    asked = [];
    for (const { asker, request } of questions) {
      const { agent, channel, word } = asker;
      const reply = request.type === 'gone' ? leave(request.threadId) : kernel.handle(agent, request);
      channel.postMessage({ reply });
      Atomics.add(word, 0, 1);
      Atomics.notify(word, 0);
    }
  }
  tidyLater();
}

// ---- threads without a port

interface Guest extends Asker {
  readonly channel: BroadcastChannel;
  readonly threadId: number;
}

const guests = new Map<number, Guest>();

/** Hears threads of the program's own. The end of one is told by the thread that started it. */
function serveGuests(family: string): void {
  const channel = new BroadcastChannel(inquiries(family));
  const take = (message: StrangerMessage): void => {
    const { agent } = message;
    if (message.type === 'come') {
      const { word, threadId } = message;
      guests.set(agent, { agent, channel: new BroadcastChannel(answers(family, agent)), word, threadId });
      return;
    }
    const guest = guests.get(agent);
    if (guest !== undefined) hear(guest, message.type, message.request);
  };
  inlets.set(channel, take);
  channel.onmessage = (event) => {
    take((event as unknown as { readonly data: StrangerMessage }).data);
    answerAll();
  };
}

function leave(threadId: number): null {
  for (const [agent, guest] of guests) {
    if (guest.threadId !== threadId) continue;
    guests.delete(agent);
    guest.channel.close();
    kernel.ended(agent);
  }
  return null;
}

/** So much memory that nobody has is worth a collection: 1 to 3 ms, in a thread with a small heap. */
const WORTH_COLLECTING_BYTES = 1 << 25;

/** Offers end by time; memory goes when this thread has let go of it too. */
function tidyLater(): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  // V8 does not count memory that threads share: a thread that makes little else would keep it for as
  // long as it happens not to collect.
  if (kernel.takeReleased(WORTH_COLLECTING_BYTES) > 0) collectGarbage();
  const next = kernel.tidy();
  if (next !== null) timer = setTimeout(tidyLater, Math.max(1, next - timeOfDay()));
}

const { family, state, port, agent, word } = workerData as KernelData;
kernel = new Kernel(state, timeOfDay, removeAll);
serve(port, agent, word);
if (takesStrangers) serveGuests(family);
beginServing(state.table);
