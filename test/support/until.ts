/** Waits until `holds`, and says what never came when the watchdog runs out. For conditions that have no event. */
export async function until(holds: () => boolean, what: string, watchdog = 15_000): Promise<void> {
  const deadline = Date.now() + watchdog;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 2));
  }
}
