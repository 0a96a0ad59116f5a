/** Ids of threads are used again by the kernel: an agent is more than its id. */
import { Process } from 'multiprocess/process';
import { describe, expect, it } from 'vitest';
import { agentOfThread, currentAgent, hasEnded, osThreadIdOf } from '../../src/memory/waiting/agent.js';

/** The agent that had the same id and began at another time, as an earlier owner of that id did. */
const ANOTHER_START = 1 << 22;

describe('an agent', () => {
  it('lives as long as its thread, and is known by its id', async () => {
    expect(osThreadIdOf(currentAgent())).toBe(process.pid);
    expect(hasEnded(currentAgent())).toBe(false);
    const child = await new Process(() => new Promise((resume) => setTimeout(resume, 600_000)), {
      name: 'sleeper',
    }).start();
    const agent = agentOfThread(child.pid!);
    expect(osThreadIdOf(agent)).toBe(child.pid);
    expect(hasEnded(agent)).toBe(false);
    child.kill();
    await child.exited;
    expect(hasEnded(agent)).toBe(true);
    expect(agentOfThread(child.pid!)).toBe(0);
  });

  it('whose id another thread has by now has ended', () => {
    // The parent lives; whoever had its id at another time does not.
    const agent = agentOfThread(process.ppid);
    expect(hasEnded(agent)).toBe(false);
    expect(hasEnded(agent ^ ANOTHER_START)).toBe(true);
  });
});
