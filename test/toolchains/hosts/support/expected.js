/**
 * What hosts have in common: what is refused in all of them by design, and faults that are known.
 *
 * A fault of KNOWN says why, which cases fail, in which hosts, and on which Nodes if not on all. It goes with its mend: a case that passes
 * in one of the hosts is reported. Nothing may be added to it without a reason.
 */

const REFUSED_EVERYWHERE = {
  'classes: an instance with #private fields': {
    code: 'MP_PRIVATE_FIELDS',
    why: 'no code outside the class can read or write them; `register` or `Symbol.for("multiprocess.reduce")` says how',
  },
};

const EVERY_HOST = /./;

/** @type {{ why: string, cases: string[], hosts: RegExp, nodes?: number[] }[]} */
const KNOWN = [
  {
    why: 'the command `ts-node` compiles by a script of its own, which threads and the template do not run: `node -r ts-node/register` works',
    cases: ['processes: Process by forkserver', 'processes: Process in a thread', 'processes: Pool by forkserver', 'processes: ThreadPool'],
    hosts: /^ts-node, CommonJS/,
  },
  {
    why: 'T10: module hooks on a thread of their own cannot be forked, and the refusal comes late',
    cases: ['processes: Process by forkserver', 'processes: Pool by forkserver'],
    hosts: /^tsx, CommonJS/,
    nodes: [20],
  },
  {
    why: 'import() in a closure of a CommonJS module without the extension',
    cases: ['imports: dynamic, in a closure'],
    hosts: /^esbuild-register/,
  },
  {
    why: "T6: the cache of a compiler's helper is a WeakMap",
    cases: ['imports: dynamic, in a closure'],
    hosts: /^Babel, (lowered )?CommonJS|^@babel.register|^swc, CommonJS|^swc-node, CommonJS|^@swc.register/,
  },
  { why: 'T6: `instanceof` is false for an instance that was sent', cases: ['classes: constructor functions'], hosts: EVERY_HOST },
  {
    why: 'T6: `instanceof` is false for an instance that was sent',
    cases: ['classes: an instance as argument', 'classes: an instance as result'],
    hosts: /^tsc, ES5/,
  },
  {
    why: 'T7: the block runs again over captures that its effects have been sent with',
    cases: ['classes: static blocks run once'],
    hosts: /^(?!tsc, ES5|tsc, ES2017|Babel, lowered)/,
  },
  {
    why: 'T7: decorators run again over captures that their effects have been sent with',
    cases: ['decorators: of a class and a field'],
    hosts: /^tsc, ES2022|^Babel, (ESM|CommonJS)|^@babel.register|^swc, CommonJS/,
  },
  {
    why: 'T8: what is assigned is not known above 1 MiB',
    cases: ['large file: a let that a captured function changes'],
    hosts: EVERY_HOST,
  },
  {
    why: 'T10: module hooks on a thread of their own cannot be forked, and the refusal comes late',
    cases: ['processes: Process by forkserver', 'processes: Pool by forkserver'],
    hosts: /^ts-node, ESM|^swc-node, ESM/,
  },
  {
    why: 'T10: module hooks on a thread of their own cannot be forked, and the refusal comes late',
    cases: ['processes: Process by forkserver', 'processes: Pool by forkserver', 'processes: Process in a thread', 'processes: ThreadPool'],
    hosts: /^tsx, (ESM|--import)/,
    nodes: [20],
  },
  {
    why: 'the name is in no scope that the inspector shows',
    cases: ['classes: a computed name'],
    hosts: EVERY_HOST,
  },
  { why: 'the helper of the compiler makes it a computed name', cases: ['classes: made in a function'], hosts: /^swc, CommonJS/ },
  { why: 'the line is that of the compiled file', cases: ['errors: the line, of a closure'], hosts: /^@swc.register/ },
  {
    why: 'ts-node maps the line wrongly in the program itself; that of the worker is right',
    cases: ['errors: the line, of a closure'],
    hosts: /^ts-node, ESM/,
  },
  {
    why: "a class that is compiled to a function cannot extend one of the platform's: it fails in the program itself",
    cases: ['classes: of built-in ones', 'classes: an own error', 'errors: class, fields and cause', 'processes: a subclass of Process'],
    hosts: /^tsc, ES5/,
  },
];

/** What a host expects on a Node, over that. */
export function expectationsOf(host, major) {
  const known = {};
  for (const { why, cases, hosts, nodes } of KNOWN) {
    if (hosts.test(host.name) && (nodes === undefined || nodes.includes(major))) for (const name of cases) known[name] = why;
  }
  const refused = { ...REFUSED_EVERYWHERE, ...host.refused, ...host.refusedOn?.(major) };
  for (const [name, what] of Object.entries(refused)) if (what === null) delete refused[name];
  return { refused, known, optional: (name) => name in REFUSED_EVERYWHERE || KNOWN.some(({ cases }) => cases.includes(name)) };
}
