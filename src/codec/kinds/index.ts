/** The node kinds every process knows, in the order of their files. */
import { registerKind } from '../graph/registry.js';
import { argumentsKind, arrayKind } from './arrays.js';
import { boxedKind, dateKind, regexpKind } from './atoms.js';
import { binaryKinds } from './binary.js';
import { mapKind, setKind } from './collections.js';
import { domExceptionKind } from './dom-exceptions.js';
import { errorKind } from './errors.js';
import { createdKind, instanceKind, prototypeKind } from './instance.js';
import { intrinsicKind } from './intrinsics.js';
import { nullObjectKind, objectKind } from './objects.js';
import { overKind } from './over.js';
import { platformKinds } from './platform.js';
import { recordKind } from './records.js';
import { reducedKind } from './reduced.js';
import { memoryKind, partKind, shareableKind } from './shareable.js';
import { socketKinds } from './sockets.js';
import { standInKind } from './stand-in-errors.js';
import { entriesKind, weakKind } from './weak.js';

export const builtinKinds = [
  arrayKind,
  argumentsKind,
  dateKind,
  regexpKind,
  boxedKind,
  ...binaryKinds,
  mapKind,
  setKind,
  errorKind,
  standInKind,
  domExceptionKind,
  instanceKind,
  overKind,
  createdKind,
  prototypeKind,
  intrinsicKind,
  objectKind,
  nullObjectKind,
  ...platformKinds,
  recordKind,
  ...socketKinds,
  reducedKind,
  shareableKind,
  memoryKind,
  partKind,
  weakKind,
  entriesKind,
];

/** Registers them. */
export function registerBuiltinKinds(): void {
  for (const kind of builtinKinds) registerKind(kind);
}
