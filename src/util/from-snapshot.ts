let fromSnapshot: boolean | undefined;

/** Whether this process may have begun as a snapshot: Node 26 aborts when a thread of one loads `node:v8`. */
export function isFromSnapshot(): boolean {
  fromSnapshot ??=
    process.execArgv.some((word) => word.startsWith('--snapshot-blob')) ||
    (process.getBuiltinModule('node:sea') as { isSea(): boolean } | undefined)?.isSea() === true;
  return fromSnapshot;
}
