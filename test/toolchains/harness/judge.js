/** Compares what a run has written with what its host expects. */
import { existsSync, readFileSync } from 'node:fs';

/** What is checked of every run, besides its cases. */
const RUN = 'the run';
const NO_PROCESS_LEFT = 'no process is left';
const TIMING = 'timing';
/** As a host's `status`: it is stopped from outside, which each version of Node reports in its own way. */
const ANY_STATUS = 'any';
/** As a name in `known`: nothing works. */
const EVERYTHING = '*';

function readRecords(file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

const firstLine = (text) => String(text ?? '').split('\n', 1)[0];

/** Name of what failed -> its code and a sentence. */
function findFailures(records, minimum, expectedStatus, { status, signal, timedOut, output, left }) {
  const failures = new Map();
  const results = records.filter((record) => record.case !== undefined);
  const starts = records.filter((record) => record.start !== undefined).length;
  const timing = records.find((record) => record.timing !== undefined);
  const ofTheRun = [];
  if (timedOut) ofTheRun.push('did not end in time');
  else if (expectedStatus !== ANY_STATUS && status !== expectedStatus) ofTheRun.push(`ended with ${signal ?? status}`);
  if (starts !== 1) ofTheRun.push(starts === 0 ? 'the program did not start' : `the program ran ${starts} times`);
  else if (!records.some((record) => record.end !== undefined))
    ofTheRun.push(`stopped after: ${results.at(-1)?.case ?? 'its start'}`);
  else if (results.length < minimum) ofTheRun.push(`${results.length} cases were reported, of at least ${minimum}`);
  const twice = results.map((result) => result.case).find((name, i, names) => names.indexOf(name) !== i);
  if (twice !== undefined) ofTheRun.push(`"${twice}" was reported twice`);
  if (ofTheRun.length > 0) failures.set(RUN, { text: `${ofTheRun.join('; ')}\n${output.slice(-1_500)}` });
  if (left.length > 0) failures.set(NO_PROCESS_LEFT, { text: `${left.length} are left: ${left[0].slice(0, 200)}` });
  if (timing?.timing === null) failures.set(TIMING, { code: timing.code, text: firstLine(timing.message) });
  for (const { case: name, passed, code, message, stack } of results) {
    if (!passed) failures.set(name, { code, text: `${code ?? 'wrong'}: ${message}`, stack });
  }
  return failures;
}

/**
 * Returns `{ passed, total, refused, known, stale, timing, faults }`: `faults` are sentences, none if all is as the host expects.
 * A case that is refused must have the code that the host gives, one that is known to fail must fail, and none may be missing.
 */
export function judge({ refused = {}, known = {}, optional = () => false, minimum, status = 0 }, ended, resultsFile) {
  const records = readRecords(resultsFile);
  const failures = findFailures(records, minimum, status, ended);
  const names = records.filter((record) => record.case !== undefined).map((record) => record.case);
  const complete = !failures.has(RUN);
  const faults = [];
  const refusedNow = [];
  const knownNow = [];
  const stale = [];
  for (const [name, { code, text, stack }] of failures) {
    if (refused[name] !== undefined && refused[name].code === code) refusedNow.push({ name, ...refused[name] });
    else if (known[name] !== undefined || known[EVERYTHING] !== undefined)
      knownNow.push({ name, why: known[name] ?? known[EVERYTHING] });
    else faults.push({ name, text, stack });
  }
  for (const [name, what] of Object.entries({ ...refused, ...known })) {
    if (failures.has(name) || (name === EVERYTHING && failures.size > 0) || !complete) continue;
    const exists = names.includes(name) || [RUN, NO_PROCESS_LEFT, TIMING, EVERYTHING].includes(name);
    if (exists && known[name] !== undefined) stale.push(name);
    if (exists) faults.push({ name, text: `passes now, where "${what.code ?? what}" is expected` });
    else if (!optional(name)) faults.push({ name, text: 'is expected, and there is no such case' });
  }
  return {
    passed: names.filter((name) => !failures.has(name)).length,
    total: names.length,
    refused: refusedNow,
    known: knownNow,
    stale,
    timing: records.find((record) => record.timing)?.timing,
    faults,
  };
}
