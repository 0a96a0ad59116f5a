/**
 * State of modules that a child starts with, such as the level of the logger.
 *
 * A module registers how its state is read in the parent and set in the child. A child that is sent
 * some loads the module before it runs anything of its own; one whose parent has nothing to send
 * never does.
 */
import { importModule } from './import-module.js';

/** How a module's state travels. What it is must survive JSON. */
export interface Preparation {
  /** The module that registers it. */
  readonly module: URL;
  /** The state now; `undefined` when a child needs none. */
  collect(): unknown;
  /** Called in the child with what {@link collect} gave. */
  apply(state: never): void;
}

/** State as it travels. */
export interface PreparedState {
  readonly name: string;
  readonly module: string;
  readonly state: unknown;
}

const preparations = new Map<string, Preparation>();

/** Adds a module's state under a name. */
export function registerPreparation(name: string, preparation: Preparation): void {
  preparations.set(name, preparation);
}

/** What a child is to be sent. */
export function collectPreparations(): PreparedState[] {
  const collected: PreparedState[] = [];
  for (const [name, { module, collect }] of preparations) {
    const state = collect();
    if (state !== undefined) collected.push({ name, module: module.href, state });
  }
  return collected;
}

/** Sets in a child what was collected in its parent. */
export async function applyPreparations(states: readonly PreparedState[]): Promise<void> {
  for (const { name, module, state } of states) {
    await importModule(module);
    preparations.get(name)?.apply(state as never);
  }
}
