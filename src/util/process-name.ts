/** The name of this process (or thread) as its parent gave it, for messages. */
let name = 'MainProcess';

/** The name: `MainProcess`, `SpawnProcess-1`, `ThreadPoolWorker-2`. */
export function processName(): string {
  return name;
}

/** Called when a child starts, and when a process renames itself. */
export function setProcessName(given: string): void {
  name = given;
}
