// The one list of cases that every host runs.
import { cases as modules } from '../fixtures/modules.mjs';
import { cases as refusals } from '../fixtures/refusals.mjs';
import { cases as shapes } from '../fixtures/shapes.mjs';
import { cases as torture } from '../fixtures/torture.mjs';

export const groups = { shapes, modules, refusals, torture };
