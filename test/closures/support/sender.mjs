// Loads a fixture as Node loads it, reduces each of its cases and has them rebuilt by a child and by itself.
// Arguments: library, fixture. Output: a serialized list of { title, expected, refused, child, again, here }.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { decode, encode } from './table.mjs';

const [libraryURL, fixture] = process.argv.slice(2);
const library = await import(libraryURL);
const { cases } = await import(fixture);
// For what can only be sent from inside a fixture, while the function around runs.
globalThis.sendNow = (value) => encode(value, library);
const entries = [];
for (const [title, prepare] of Object.entries(cases)) {
  const entry = { title, expected: prepare.expected };
  entries.push(entry);
  try {
    const { send, sent, use, expected } = await prepare();
    entry.expected ??= expected;
    const table = encode([send, use ?? ((f) => f())], library);
    if (sent !== undefined) adopt(table, sent);
    entry.table = deserialize(serialize(table));
    entry.flags = table.nodes.find((node) => node.kind === 'function')?.flags;
    const [value, run] = await decode(entry.table, library);
    entry.here = await run(value);
  } catch (error) {
    entry.refused = {
      name: error?.name,
      code: error?.code,
      message: error?.message,
      path: error?.path,
      stack: error?.stack,
    };
  }
}
const sendable = entries.filter((entry) => entry.table !== undefined).map(({ title, table }) => ({ title, table }));
const args = [...process.execArgv, fileURLToPath(new URL('./receiver.mjs', import.meta.url)), libraryURL];
const child = spawnSync(process.execPath, args, {
  input: serialize(sendable),
  maxBuffer: 1 << 28,
  stdio: ['pipe', 'pipe', 'inherit'],
  timeout: 40_000,
  killSignal: 'SIGKILL',
});
if (child.status !== 0) throw new Error(`The receiver ended with ${child.status ?? child.signal}.`);
const { report, loadedParser } = deserialize(child.stdout);
for (const part of report)
  Object.assign(
    entries.find((entry) => entry.title === part.title),
    part,
  );
for (const entry of entries) delete entry.table;
process.stdout.write(serialize({ entries, loadedParser }));

/** Puts a table that was made earlier in the place of the value. */
function adopt(table, sent) {
  const by = table.nodes.length;
  const move = (index) => index + by;
  for (const node of sent.nodes) {
    if (node.children) node.children = node.children.map(move);
    if (node.entries) node.entries = node.entries.map(([k, v]) => [move(k), move(v)]);
    if (node.custom !== undefined) node.custom = move(node.custom);
  }
  table.nodes.push(...sent.nodes);
  table.nodes[table.start].entries[0][1] = move(sent.start);
}
