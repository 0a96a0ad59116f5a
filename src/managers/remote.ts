/** The types of proxies. */
import type { Observable } from 'rxjs';
import type { TaskStream } from '../streams/index.js';
import type { RemoteCall, SharedSource } from './client/remote-call.js';
import type { BaseProxy } from './proxy.js';
import type { TypeOptions } from './registry.js';

/**
 * What a method of the server gives here: its result, or a stream of it. A {@link SharedSource} is
 * a result.
 */
export type RemoteResult<R> = [R] extends [never]
  ? Promise<never>
  : Awaited<R> extends BaseProxy | SharedSource
    ? RemoteCall<Awaited<R>>
    : Awaited<R> extends Observable<infer I>
      ? RemoteCall<TaskStream<I>>
      : Awaited<R> extends string | readonly unknown[]
        ? RemoteCall<Awaited<R>>
        : Awaited<R> extends AsyncIterable<infer I>
          ? RemoteCall<TaskStream<I>>
          : Awaited<R> extends ReadableStream<infer I>
            ? RemoteCall<TaskStream<I>>
            : Awaited<R> extends Iterator<infer I> & Iterable<unknown>
              ? RemoteCall<TaskStream<I>>
              : RemoteCall<Awaited<R>>;

/**
 * What may be given for an argument: a function may answer later, a remote object stands for
 * itself.
 */
export type RemoteArgument<A> = A extends (...args: infer P) => infer R ? (...args: P) => R | Promise<Awaited<R>> : A;
/** What may be given for the arguments of a method. */
export type RemoteArguments<A extends readonly unknown[]> = { [K in keyof A]: RemoteArgument<A[K]> };

/** The names of a type that its proxies do not reach. */
export type Hidden = `_${string}` | 'constructor' | 'then' | 'callMethod' | 'getValue' | symbol | number;

/** A member of a proxy: a method returns a promise of its result, a property is a promise. */
export type RemoteMember<M> = M extends (...args: infer A) => infer R
  ? (...args: RemoteArguments<A>) => RemoteResult<R>
  : Promise<
      Awaited<M> extends SharedSource ? Awaited<M> : Awaited<M> extends Observable<infer I> ? TaskStream<I> : Awaited<M>
    >;

/**
 * A proxy of a `T`: each public method returns a promise of its result, each public property is a
 * promise. An Observable or async iterable is a stream here; a {@link SharedSource} is the same
 * shared thing.
 */
export type Remote<T> = RemoteMembers<T, Exclude<keyof T, Hidden>> & BaseProxy<T>;

/**
 * Some members of a type, as its proxies have them. Over `K`, so that an editor shows the
 * documentation of the type's own.
 */
export type RemoteMembers<T, K extends keyof T> = { readonly [N in K]: RemoteMember<T[N]> };

/** What makes the objects of a type: a function, or a class. */
// biome-ignore lint/suspicious/noExplicitAny: any parameter list
export type RemoteMaker = ((...args: any[]) => unknown) | (abstract new (...args: any[]) => unknown);

/** A type with options. */
export interface TypeEntry extends TypeOptions {
  /** What makes its objects. */
  readonly callable: RemoteMaker;
}

/** The creation method that a maker gives. */
export type Creation<F> = F extends new (
  ...args: infer A
) => infer T
  ? (...args: RemoteArguments<A>) => Promise<Remote<T>>
  : F extends (...args: infer A) => infer T
    ? (...args: RemoteArguments<A>) => Promise<Remote<Awaited<T>>>
    : never;

/** The creation methods of types. */
export type Creations<M> = {
  readonly [K in keyof M]: M[K] extends RemoteMaker
    ? Creation<M[K]>
    : M[K] extends TypeEntry
      ? Creation<M[K]['callable']>
      : never;
};
