import { readFileSync } from 'node:fs';

/**
 * The most memory this process has held at once, in bytes: the kernel's high-water mark (`VmHWM`).
 * Not `process.resourceUsage().maxRSS`, which a child inherits from the process that started it.
 * Elsewhere than on Linux it is what the process holds now.
 */
export function peakMemory(): number {
  try {
    const found = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'));
    if (found) return Number(found[1]) * 1024;
  } catch {
    // No /proc here.
  }
  return process.memoryUsage.rss();
}
