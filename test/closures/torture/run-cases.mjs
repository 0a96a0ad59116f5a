// Runs cases in the process that imports this: each is sent to a worker process of a Pool, to a thread of a ThreadPool and to
// a plain worker thread that uses loads. A host gives the library and the cases, and gets a list of { title, transport, failure? }.
import { deepStrictEqual } from 'node:assert/strict';
import { Worker } from 'node:worker_threads';

/** Cases about the file they stand in: not for code that was moved into a bundle or an argument. */
const ABOUT_FILES = new Set([
  'import.meta and import()',
  'a stack trace that points at the original',
  'a require made for the module',
  'import conditions and private specifiers of a package',
  'exports that have the text of functions that went by value before them, by reference',
]);

export async function runCases(
  { Pool, ThreadPool, dumps, loads },
  groups,
  { thread, files = true, skip = [], threads = true },
) {
  const results = [];
  const pool = new Pool({ processes: 1 });
  const threadPool = threads ? new ThreadPool({ processes: 1 }) : null;
  // A thread inherits loaders, but cannot be given a program.
  const given = process.execArgv.some((option) => /^(-[eip]$|--(eval|input-type|test))/.test(option));
  const worker = new Worker(new URL(thread), given ? { execArgv: [] } : {});
  globalThis.sendNow = dumps;
  const transports = {
    process: (bytes) => pool.apply(runThere, [bytes]),
    ...(threads
      ? {
          thread: (bytes) => throughThread(worker, bytes, loads),
          'thread pool': (bytes) => threadPool.apply(runThere, [bytes]),
        }
      : {}),
  };
  try {
    for (const [group, cases] of Object.entries(groups)) {
      for (const [title, prepare] of Object.entries(cases)) {
        if ((!files && ABOUT_FILES.has(title)) || skip.includes(title)) continue;
        for (const [transport, send] of Object.entries(transports)) {
          const result = { title: `${group}: ${title}`, transport };
          results.push(result);
          try {
            await runCase(prepare, dumps, send);
          } catch (error) {
            result.failure = String(error?.stack ?? error);
          }
        }
      }
    }
  } finally {
    await Promise.all([pool.terminate(), threadPool?.terminate(), worker.terminate()]);
    delete globalThis.sendNow;
  }
  return results;

  // By reference in most hosts; in the main file of a bundle by value.
  async function runThere(bytes) {
    const { loadsAsync } = await import('multiprocess/reduction');
    const [value, use] = await loadsAsync(bytes);
    return use(value);
  }
}

async function runCase(prepare, dumps, send) {
  let made;
  try {
    made = await prepare();
  } catch (error) {
    // A case that sends from inside itself.
    if (prepare.expected?.code === undefined) throw error;
    checkRefusal(error, prepare.expected);
    return;
  }
  // A binding in its dead zone reads as undefined on Node 20.
  if (prepare.expected?.code === 'MP_UNINITIALISED' && process.versions.node.startsWith('20.')) return;
  const { send: value, sent, use = (f) => f(), code = made.expected?.code, message, path } = made;
  if ('value' in made) {
    deepStrictEqual(made.value, made.expected);
    return;
  }
  if (code !== undefined) {
    let refused;
    try {
      dumps([value, use]);
    } catch (error) {
      refused = error;
    }
    checkRefusal(refused, { code, message, path });
    return;
  }
  const bytes = sent === undefined ? dumps([value, use]) : dumps([{ bytes: sent, use }, unpackAndUse]);
  const result = await send(bytes);
  const expected = made.expected ?? prepare.expected;
  if (expected === 'shapes.mjs:STACK') deepStrictEqual(/^shapes\.mjs:\d+:\d+$/.test(result), true, `result ${result}`);
  else if (typeof expected === 'function') deepStrictEqual(expected(result), true, `result ${String(result)}`);
  else deepStrictEqual(result, expected);
}

async function unpackAndUse({ bytes, use }) {
  const { loadsAsync } = await import('multiprocess/reduction');
  return use(await loadsAsync(bytes));
}

function checkRefusal(error, { code, message, path }) {
  // A binding in its dead zone reads as undefined on Node 20.
  if (code === 'MP_UNINITIALISED' && process.versions.node.startsWith('20.')) return;
  if (error === undefined) throw new Error(`was sent; expected ${code}`);
  if (error.code !== code) throw error;
  deepStrictEqual(error.name, 'SerializationError');
  if (message !== undefined && !message.test(error.message)) throw new Error(`message: ${error.message}`);
  if (path !== undefined && !path.test(error.path)) throw new Error(`path: ${error.path}; message: ${error.message}`);
  if (typeof error.repair !== 'string' || error.repair.length < 10) throw new Error(`no repair: ${error.message}`);
}

let calls = 0;

async function throughThread(worker, bytes, loads) {
  const id = ++calls;
  const answer = await new Promise((resolve, reject) => {
    const onMessage = (message) => {
      if (message.id !== id) return;
      worker.off('message', onMessage);
      worker.off('error', reject);
      worker.off('exit', reject);
      resolve(message);
    };
    worker.on('message', onMessage);
    worker.on('error', reject);
    worker.on('exit', reject);
    worker.postMessage({ id, bytes });
  });
  const value = loads(answer.bytes);
  if (answer.failed) throw value;
  return value;
}
