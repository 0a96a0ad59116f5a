/** What can be registered, and what its types are. */

import type { TaskStream } from 'multiprocess';
import { Process, task } from 'multiprocess';
import { BaseManager, BaseProxy, type Remote, type RemoteCall } from 'multiprocess/managers';
import type { Observable } from 'rxjs';
import { describe, expect, expectTypeOf, test } from 'vitest';

class Account {
  balance = 0;
  readonly entries: number[] = [];
  add(amount: number): number {
    this.balance += amount;
    this.entries.push(amount);
    return this.balance;
  }
  history(): History {
    return new History(this.entries);
  }
  *each(): Generator<number> {
    yield* this.entries;
  }
  call(fn: (balance: number) => string): string | Promise<string> {
    return fn(this.balance);
  }
  declare changes: () => Observable<number>;
  toString(): string {
    return `Account(${this.balance})`;
  }
}

class History {
  constructor(readonly entries: number[]) {}
  sum(): number {
    return this.entries.reduce((all, each) => all + each, 0);
  }
}

class AccountProxy extends BaseProxy<Account> {
  async addAll(...amounts: number[]): Promise<number> {
    await Promise.all(amounts.map((amount) => this.callMethod<number>('add', [amount])));
    return await this.callMethod<number>('add', [0]);
  }
}

const codeOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    (value) => ['no error', value],
    (error: { code?: unknown }) => error.code,
  );

test('typed managers have typed creation methods and proxies', async () => {
  class Bank extends BaseManager.with({ Account, History: (entries: number[]) => new History(entries) }) {
    async both(): Promise<[Remote<Account>, Remote<History>]> {
      return [await this.Account(), await this.History([1, 2])];
    }
  }
  await using bank = new Bank();
  await bank.start();
  const [account, history] = await bank.both();
  expectTypeOf(account).toEqualTypeOf<Remote<Account>>();
  expectTypeOf(account.add).parameters.toEqualTypeOf<[number]>();
  expectTypeOf(account.add(1)).toEqualTypeOf<RemoteCall<number>>();
  expectTypeOf(account.balance).toEqualTypeOf<Promise<number>>();
  expectTypeOf(account.each()).toEqualTypeOf<RemoteCall<TaskStream<number>>>();
  expectTypeOf(account.changes).returns.toEqualTypeOf<RemoteCall<TaskStream<number>>>();
  expectTypeOf(account.call).parameter(0).toEqualTypeOf<(balance: number) => string | Promise<string>>();
  expectTypeOf(account.getValue()).toEqualTypeOf<Promise<Account>>();
  expectTypeOf(bank.History).parameters.toEqualTypeOf<[number[]]>();
  // @ts-expect-error the amount is a number
  expect(await account.add('1')).toBe('11');
  // @ts-expect-error there is no such type
  expect(bank.Loan).toBeUndefined();
  expect(await history.sum()).toBe(3);
  expect(await account.call(async (balance) => `${balance}!`)).toBe('11!');
});

describe('register', () => {
  test('takes a class of proxies, result types and names; children have them too', async () => {
    class Bank extends BaseManager {
      declare Account: () => Promise<AccountProxy & Remote<Account>>;
    }
    Bank.register('Account', Account, {
      proxyType: AccountProxy,
      exposed: ['add', 'balance', 'history'],
      methodToTypeid: { history: 'History' },
    });
    Bank.register('History', undefined, { exposed: ['sum'], createMethod: false });
    await using bank = new Bank();
    await bank.start();
    const account = await bank.Account();
    expect(account).toBeInstanceOf(AccountProxy);
    expect(await account.addAll(1, 2, 3)).toBe(6);
    expect(await account.balance).toBe(6);
    expect((account as unknown as Account).each).toBeUndefined();
    const history = (await account.history()) as unknown as Remote<History>;
    expect(history).toBeInstanceOf(BaseProxy);
    expect(await history.sum()).toBe(6);
    expect(history.entries).toBeUndefined();
    expect('History' in bank).toBe(false);
    const child = await new Process(
      async (given: AccountProxy) => {
        await given.addAll(10, 20);
      },
      { args: [account] },
    ).start();
    await child.join();
    expect(child.exitCode).toBe(0);
    expect(await account.balance).toBe(36);
  });

  test('gives a subclass types of its own', () => {
    class One extends BaseManager {}
    class Two extends One {}
    One.register('A', () => ({}));
    Two.register('B', () => ({}));
    expect('A' in One.prototype && 'A' in Two.prototype && 'B' in Two.prototype).toBe(true);
    expect('B' in One.prototype || 'A' in BaseManager.prototype).toBe(false);
  });

  test('refuses invalid types and options', () => {
    class Bank extends BaseManager {}
    const refused = (register: () => void) => {
      try {
        register();
        return 'no error';
      } catch (error) {
        return `${(error as { code: string }).code}: ${(error as Error).message}`;
      }
    };
    expect(refused(() => Bank.register('', Account))).toMatch(/^MP_INVALID_ARGUMENT: Bank.register/);
    expect(refused(() => Bank.register('shutdown', Account))).toMatch(/^MP_INVALID_ARGUMENT.*another name/);
    expect(refused(() => Bank.register('constructor', Account))).toMatch(/^MP_INVALID_ARGUMENT/);
    expect(refused(() => Bank.register('A', 5 as never))).toMatch(/^MP_INVALID_ARGUMENT/);
    expect(refused(() => Bank.register('A', Account, { exposed: ['constructor'] }))).toMatch(
      /^MP_INVALID_ARGUMENT.*cannot be exposed/,
    );
    expect(refused(() => Bank.register('A', Account, { exposd: [] } as never))).toMatch(
      /^MP_UNKNOWN_OPTION.*did you mean `exposed`/,
    );
    expect(refused(() => Bank.register('A', Account, { methodToTypeid: { add: 5 } as never }))).toMatch(
      /^MP_INVALID_ARGUMENT/,
    );
    expect(refused(() => new AccountProxy())).toMatch(/^MP_INVALID_ARGUMENT.*made by managers/);
  });

  test('a type that was not registered cannot be made', async () => {
    class Client extends BaseManager {
      declare Unknown: () => Promise<unknown>;
    }
    class Bank extends BaseManager.with({ Account }) {}
    await using bank = new Bank();
    await bank.start();
    Client.register('Unknown');
    const client = new Client({ address: bank.address! });
    await client.connect();
    expect(await codeOf(client.Unknown())).toBe('MP_NO_TYPE');
    await client.shutdown();
  });

  test('types whose functions are values run them in the server, and so does task()', async () => {
    class Runner {
      pid(fn: () => unknown): unknown {
        return fn();
      }
    }
    class Runners extends BaseManager.with({ Back: Runner, There: { callable: Runner, functions: 'value' } }) {}
    await using runners = new Runners();
    await runners.start();
    const { pid } = runners.process!;
    const back = await runners.Back();
    const there = await runners.There();
    expect(await back.pid(() => process.pid)).toBe(process.pid);
    expect(await there.pid(() => process.pid)).toBe(pid);
    expect(await back.pid(task({}, () => process.pid))).toBe(pid);
  });
});

test('a type that a method is said to give, and that is not registered, is named', async () => {
  const Typo = BaseManager.with({ Account: { callable: Account, methodToTypeid: { history: 'Histroy' } } });
  await using manager = new Typo();
  await manager.start();
  const account = await manager.Account();
  await expect(account.callMethod('history')).rejects.toMatchObject({
    code: 'MP_NO_TYPE',
    message: expect.stringMatching(/no type `Histroy`; it has Account\./),
  });
});
