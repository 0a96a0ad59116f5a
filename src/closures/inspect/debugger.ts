/**
 * What the Debugger domain knows: the functions on the stack with their `this`, and the scripts
 * with their sources.
 *
 * Invariant. The domain is enabled only inside {@link harvestScripts} and {@link runningFrames},
 * which are synchronous. While it is on, await costs ten times as much and `eval` two hundred
 * times.
 */
import { HOLDER, listen, mayBeDebugged, post, type RemoteObject, withHolder, withSession } from './session.js';

/** A script as the Debugger domain describes it. */
export interface HarvestedScript {
  readonly scriptId: string;
  /**
   * The name that its host gave it, or the one it gives itself (`//# sourceURL=`) where the host
   * gave none.
   */
  readonly url: string;
  /** Numbers of its first line and of that line's first column: not 0 where the host gave them. */
  readonly firstLine: number;
  readonly firstColumn: number;
  /** `null` when it was not asked for. */
  readonly source: string | null;
}

/** A running function: where its parameters start, and its `this`. */
export interface RunningFrame {
  readonly scriptId: string;
  readonly line: number;
  readonly column: number;
  readonly receiver: unknown;
}

interface CallFrame {
  readonly functionLocation?: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number };
  readonly this: RemoteObject;
}

/**
 * The functions on the stack with their `this`, innermost first: the debugger pauses inside this
 * very call, reports and goes on. Empty while another inspector client is attached, which would
 * take the pause for its own.
 */
export function runningFrames(actor: string): RunningFrame[] {
  return withSession(actor, pauseHere);
}

function pauseHere(): RunningFrame[] {
  if (mayBeDebugged()) return [];
  const frames: RunningFrame[] = [];
  const listener = ({ params }: { params: { callFrames: CallFrame[] } }): void => {
    frames.push(...readFrames(params.callFrames));
  };
  const ignore = listen('Debugger.paused', listener);
  try {
    post('Debugger.enable');
    post('Debugger.pause');
    // The pause comes at the next statement that V8 runs.
    pausePoint();
  } finally {
    ignore();
    post('Debugger.disable');
  }
  return frames;
}

let pauses = 0;

function pausePoint(): boolean {
  return pauses++ >= 0;
}

/**
 * Each receiver is handed over in its own context, since a test runner's vm has another than the
 * main one.
 */
function readFrames(callFrames: readonly CallFrame[]): RunningFrame[] {
  const holder: { out: unknown[] } = { out: [] };
  const own = globalThis as unknown as Record<symbol, unknown>;
  withHolder(holder, () => {
    const foreign = own[HOLDER] === undefined;
    if (foreign) Object.defineProperty(own, HOLDER, { value: holder, configurable: true });
    try {
      callFrames.forEach((frame, index) => {
        if (frame.this.objectId === undefined) return;
        const functionDeclaration = `function (i) { const to = globalThis[Symbol.for('${String(HOLDER.description)}')]; if (to) to.out[i] = this; }`;
        post('Runtime.callFunctionOn', {
          objectId: frame.this.objectId,
          functionDeclaration,
          arguments: [{ value: index }],
        });
      });
    } finally {
      if (foreign) delete own[HOLDER];
    }
  });
  return callFrames.flatMap(({ functionLocation: at }, index) =>
    at === undefined
      ? []
      : [{ scriptId: at.scriptId, line: at.lineNumber, column: at.columnNumber, receiver: holder.out[index] }],
  );
}

/** A function on the stack. */
export interface StackFrame {
  readonly scriptId: string;
  readonly url: string;
}

/**
 * The functions that run now, innermost first. An error that is thrown in an expression of ours
 * carries them, with the numbers of their scripts, which no call site of Node 20 has.
 */
export function framesWithScripts(actor: string, most: number): readonly StackFrame[] {
  return withSession(actor, () => {
    post('Runtime.enable');
    try {
      post('Runtime.setMaxCallStackSizeToCapture', { size: most });
      const { exceptionDetails } = post<{ exceptionDetails?: { stackTrace?: { callFrames: StackFrame[] } } }>(
        'Runtime.evaluate',
        {
          expression: 'throw null',
          silent: true,
        },
      );
      return exceptionDetails?.stackTrace?.callFrames ?? [];
    } finally {
      post('Runtime.disable');
    }
  });
}

interface ParsedScript {
  readonly scriptId: string;
  readonly url: string;
  readonly embedderName?: string;
  readonly startLine: number;
  readonly startColumn: number;
  readonly scriptLanguage?: string;
}

/** A script without its source. */
export type ListedScript = Omit<HarvestedScript, 'source'>;

/**
 * Every script of JavaScript that V8 holds now, with the sources of those that are wanted. `choose`
 * is given all of them and says which.
 */
export function harvestScripts(
  actor: string,
  choose: (listed: readonly ListedScript[]) => (script: ListedScript) => boolean,
): HarvestedScript[] {
  return withSession(actor, () => harvest(choose));
}

function harvest(choose: Parameters<typeof harvestScripts>[1]): HarvestedScript[] {
  const found: ListedScript[] = [];
  const listener = ({ params }: { params: ParsedScript }): void => {
    const { scriptId, url, embedderName, startLine, startColumn, scriptLanguage } = params;
    if (scriptLanguage === 'WebAssembly') return;
    found.push({ scriptId, url: embedderName || url, firstLine: startLine, firstColumn: startColumn });
  };
  const ignore = listen('Debugger.scriptParsed', listener);
  try {
    post('Debugger.enable');
    const isWanted = choose(found);
    return found.map((script) => {
      const { scriptId } = script;
      if (!isWanted(script)) return { ...script, source: null };
      return {
        ...script,
        source: post<{ scriptSource: string }>('Debugger.getScriptSource', { scriptId }).scriptSource,
      };
    });
  } finally {
    ignore();
    post('Debugger.disable');
  }
}
