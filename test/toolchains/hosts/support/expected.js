/**
 * What hosts have in common: what is refused in all of them by design, and faults that are known (known.json).
 *
 * known.json: reason -> case -> hosts, with `@20` behind those in which it fails on that Node only. A case that passes in one of them is
 * reported: `npm run test:toolchains -- --prune` takes it off. Nothing may be added without a reason.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const KNOWN_FILE = new URL('known.json', import.meta.url);
/** @type {Record<string, Record<string, string[]>>} */
const KNOWN = JSON.parse(readFileSync(KNOWN_FILE, 'utf8'));

const REFUSED_EVERYWHERE = {
  'classes: an instance with #private fields': {
    code: 'MP_PRIVATE_FIELDS',
    why: 'no code outside the class can read or write them; `register` or `Symbol.for("multiprocess.reduce")` says how',
  },
};

/** What a host expects on a Node, over that: its `refused` may take one away by `null`. */
export function expectationsOf(host, major) {
  const known = {};
  for (const [why, cases] of Object.entries(KNOWN)) {
    for (const [name, hosts] of Object.entries(cases)) {
      if (hosts.includes(host.name) || hosts.includes(`${host.name}@${major}`)) known[name] = why;
    }
  }
  const refused = { ...REFUSED_EVERYWHERE, ...host.refused };
  for (const [name, what] of Object.entries(refused)) if (what === null) delete refused[name];
  return { refused, known, optional: (name) => name in REFUSED_EVERYWHERE };
}

/** Takes off what passes now. `passed`: `{ host, major, name }` of each case that did; `majors`: of all Nodes. */
export function pruneKnown(passed, majors) {
  let count = 0;
  for (const [why, cases] of Object.entries(KNOWN)) {
    for (const [name, hosts] of Object.entries(cases)) {
      const passes = (host, major) =>
        passed.some((each) => each.name === name && each.host === host && each.major === major);
      cases[name] = hosts.flatMap((entry) => {
        const [, host, only] = /^(.*?)(?:@(\d+))?$/.exec(entry);
        const failing = (only === undefined ? majors : [Number(only)]).filter((major) => !passes(host, major));
        if (failing.length === (only === undefined ? majors.length : 1)) return [entry];
        count++;
        return failing.map((major) => `${host}@${major}`);
      });
      if (cases[name].length === 0) delete cases[name];
    }
    if (Object.keys(cases).length === 0) delete KNOWN[why];
  }
  writeFileSync(KNOWN_FILE, `${JSON.stringify(KNOWN, null, 2)}\n`);
  return count;
}
