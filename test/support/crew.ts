/** The processes of a storm: waves of them are started, and killed one by one at random. */
import { expect } from 'vitest';
import { type FixtureProcess, startFixture } from './fixture-process.js';

export interface Member<Role> {
  readonly role: Role;
  readonly number: number;
  readonly process: FixtureProcess;
}

interface Storm<Role> {
  /** Its arguments come after the role and the number. */
  readonly fixture: string;
  readonly args: (role: Role, number: number) => readonly [shared: string, seed: number];
  /** Of each group two are always left. */
  readonly groupOf: (role: Role) => string;
  readonly random: (n: number) => number;
  /** What went wrong so far; the storm ends with the first. */
  readonly problems: string[];
  /** Items that arrived so far. */
  readonly count: () => number;
  /** Milliseconds until it counts as stuck. */
  readonly longest: number;
}

export class Crew<Role extends string> {
  /** All that were ever started, by number. */
  readonly members: Member<Role>[] = [];
  readonly killed = new Set<number>();
  readonly #alive: Member<Role>[] = [];
  readonly #storm: Storm<Role>;

  constructor(storm: Storm<Role>) {
    this.#storm = storm;
  }

  /** Starts waves of these roles, and kills one every 20 ms or so, until so many were killed. */
  async rage(kills: number, roles: readonly Role[]): Promise<void> {
    const { problems, random, groupOf, count, longest } = this.#storm;
    const watchdog = performance.now() + longest;
    const look = (): boolean => {
      const ended = this.#alive.find(({ process: { child } }) => child.exitCode !== null);
      if (ended !== undefined)
        problems.push(`${ended.role} ${ended.number} ended by itself (${ended.process.child.exitCode})`);
      if (performance.now() > watchdog) problems.push(`stuck after ${count()} items`);
      return problems.length === 0;
    };
    while (this.killed.size < kills && problems.length === 0) {
      // In waves, since to start a process takes far longer than 20 ms. At most four of each group: after a wave two of each are left.
      const wave = [...roles, ...(this.#alive.length === 0 ? roles : [])].map((role) => this.#start(role));
      for (const one of wave) expect(await one.process.line()).toBe('ready');
      this.#alive.push(...wave);
      for (let left = 4; left > 0 && look(); ) {
        await pause(10 + random(20));
        const at = random(this.#alive.length);
        const group = groupOf(this.#alive[at]!.role);
        if (this.#alive.filter(({ role }) => groupOf(role) === group).length <= 2) continue;
        const [victim] = this.#alive.splice(at, 1);
        this.killed.add(victim!.number);
        victim!.process.child.kill('SIGKILL');
        left--;
      }
      // Nobody waits for the dead: those that are left, and no other, must go on.
      for (const goal = count() + 200; count() < goal && look(); ) await pause(5);
    }
  }

  /** Waits until those of a group that are left have ended in good order. */
  async ended(group: string, what: string): Promise<void> {
    for (const { role, process } of this.#alive)
      if (this.#storm.groupOf(role) === group) expect(await process.ended, what).toBe(0);
  }

  #start(role: Role): Member<Role> {
    const { fixture, args } = this.#storm;
    const number = this.members.length;
    const [shared, seed] = args(role, number);
    const one = { role, number, process: startFixture(fixture, { args: [shared, role, number, seed] }) };
    this.members.push(one);
    return one;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
