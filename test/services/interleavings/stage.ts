/**
 * Where processes meet. Every operation on the database and every request to the outside system is one move, made when
 * the stage says so: one at a time, in an order that the test chose. So an interleaving is as fine as the product's own
 * operations, and the same choices give the same one again.
 */
import type { Models } from '../../../models/index.js';

/** What a process that is gone would have gone on with. */
export class Died extends Error {}

type Settled = { readonly value: unknown } | { readonly error: unknown };

interface Move {
  readonly life: Life | null;
  readonly make: () => PromiseLike<unknown>;
  readonly settle: (settled: Settled) => void;
}

/** Whether a process runs. It dies, or falls asleep, between two moves: before one takes effect, or right after. */
export class Life {
  state: 'runs' | 'sleeps' | 'dead' = 'runs';
  /** Moves of a transaction are one move: it takes effect as a whole or not at all. */
  inTransaction = 0;
  private fate: { readonly state: 'sleeps' | 'dead'; left: number } | null = null;

  stopAfter(edges: number, state: 'sleeps' | 'dead'): void {
    if (this.state !== 'dead') this.fate = { state, left: edges };
  }

  wake(): void {
    if (this.state === 'sleeps') this.state = 'runs';
  }

  /** Between two moves. True when it goes no further. */
  stopsHere(): boolean {
    if (this.fate && this.fate.left-- <= 0) {
      this.state = this.fate.state;
      this.fate = null;
    }
    return this.state !== 'runs';
  }
}

export class Stage {
  private waiting: Move[] = [];
  private graves: Move[] = [];
  private over = false;
  private turn = 0;

  /** @param choices which of those that are ready moves next; begun anew at the end */
  constructor(private readonly choices: readonly number[]) {}

  /** One move of a process, or (null) of the world around it. Resolves when it was made and its process goes on. */
  move<T>(life: Life | null, make: () => PromiseLike<T>): Promise<T> {
    if (this.over) return Promise.reject(new Died());
    if (life && life.inTransaction > 0) return Promise.resolve(make());
    return new Promise<T>((resolve, reject) => {
      const settle = (settled: Settled): void =>
        'error' in settled ? reject(settled.error) : resolve(settled.value as T);
      const move = { life, make, settle };
      if (life?.state === 'dead') this.graves.push(move);
      else this.waiting.push(move);
    });
  }

  /** Makes moves until that is so, or nobody who runs has one. Whatever is begun then, goes on the next time. */
  async play(until: () => boolean = () => false): Promise<void> {
    for (;;) {
      // What was answered goes on first: up to its next move, or its end.
      await new Promise((resolve) => setImmediate(resolve));
      if (until() || !(await this.next())) return;
    }
  }

  /** One move. False when nobody who runs has one. */
  async next(): Promise<boolean> {
    const ready = this.waiting.filter(({ life }) => life === null || life.state === 'runs');
    const move = ready[(this.choices[this.turn++ % this.choices.length] ?? 0) % ready.length];
    if (!move) return false;
    this.waiting.splice(this.waiting.indexOf(move), 1);
    await this.make(move);
    return true;
  }

  /** After the end: what the dead held (timers, memory) is let go. Nothing of it reaches the database any more. */
  bury(): void {
    this.over = true;
    for (const { settle } of [...this.graves.splice(0), ...this.waiting.splice(0)])
      settle({ error: new Died() });
  }

  private async make(move: Move): Promise<void> {
    const { life } = move;
    if (life?.stopsHere()) return this.stop(move);
    const settled = await Promise.resolve(move.make()).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (!life?.stopsHere()) return move.settle(settled);
    // It took effect, and its process does not know (yet).
    this.stop({
      ...move,
      make: () => ('error' in settled ? Promise.reject(settled.error) : Promise.resolve(settled.value)),
    });
  }

  private stop(move: Move): void {
    if (move.life?.state !== 'dead') {
      this.waiting.unshift(move);
      return;
    }
    const dead = this.waiting.filter(({ life }) => life === move.life);
    this.waiting = this.waiting.filter(({ life }) => life !== move.life);
    this.graves.push(move, ...dead);
  }
}

/** The models as one process has them: each of its operations is a move. */
export function modelsOf(models: Models, stage: Stage, life: Life): Models {
  const move = <T>(make: () => PromiseLike<T>): Promise<T> => stage.move(life, make);
  const entries = Object.entries(models).map(([name, model]) => [name, staged(model, move)]);
  return Object.fromEntries(entries) as Models;

  function staged(model: Models[keyof Models], move: Mover): unknown {
    return new Proxy(model, {
      get(target, key) {
        if (key === 'db') return transactions(target.db, move);
        const own: unknown = Reflect.get(target, key, target);
        if (typeof own !== 'function') return own;
        if (key === 'create') return (...args: unknown[]) => move(() => own.apply(target, args));
        return (...args: unknown[]) => stagedQuery(own.apply(target, args), move);
      },
    });
  }

  function transactions(connection: Models['executions']['db'], move: Mover) {
    const transaction: typeof connection.transaction = (work) =>
      move(async () => {
        life.inTransaction += 1;
        try {
          return await connection.transaction(work);
        } finally {
          life.inTransaction -= 1;
        }
      });
    return { transaction };
  }
}

type Mover = <T>(make: () => PromiseLike<T>) => Promise<T>;

interface Query {
  exec(): Promise<unknown>;
}

function stagedQuery(query: Query, move: Mover): unknown {
  const staged: unknown = new Proxy(query, {
    get(target, key) {
      if (key === 'then' || key === 'catch' || key === 'finally') {
        return (...args: unknown[]) => {
          const made: Promise<unknown> = move(() => target.exec());
          return Reflect.apply(made[key], made, args);
        };
      }
      const own: unknown = Reflect.get(target, key, target);
      if (typeof own !== 'function') return own;
      return (...args: unknown[]) => {
        const result: unknown = own.apply(target, args);
        return result === target ? staged : result;
      };
    },
  });
  return staged;
}
